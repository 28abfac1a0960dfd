// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.MarkedSums;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.search.MixedPrecision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.schedule.FixedSchedule;

/** The examples at toy size: that they run, and that their engines agree. */
final class ExamplesTest {

    private static final TrainTest TOY = StrokeDigits.split(1, 64, 20);

    private static void requireEqual(EqualityReport report) {
        assertTrue(report.codesCompared() > 0, report.toString());
        assertTrue(report.equal(), report.toString());
    }

    private static void requireRows(int rows, TextTable table) {
        assertEquals(rows, table.toString().lines().filter(line -> line.contains("%")).count());
    }

    @Test
    void predictionOnTheCpuReturnsTheNetworksOutputs(@TempDir Path folder) throws OrtException {
        LabelledImages digits = TOY.test();
        MultiLayerNetwork trained = LeNet.create(TOY.train(), 1, new FixedSchedule(1e-3));
        MultiLayerNetwork quantized =
                Quantization.prepare(
                        trained, QuantSpec.of(LayerScheme.INT8), TOY.train().inOrder(32));
        Path onnx = folder.resolve("model.onnx");
        OnnxWriter.write(Quantization.lower(quantized), onnx);
        float[] pixels = digits.batch(0, digits.size()).values();
        IntGraph graph = OnnxReader.read(onnx);

        float[] probabilities = PredictOnCpu.predict(graph, digits.size(), pixels);
        float[][] scores = PredictWithOnnxRuntime.scores(onnx.toString(), pixels);

        INDArray outputs = quantized.output(digits.inOrder(digits.size()).next().getFeatures());
        assertArrayEquals(
                outputs.dup('c').reshape(outputs.length()).toFloatVector(), probabilities);
        assertArrayEquals(
                PredictOnCpu.predict(graph.scores(), digits.size(), pixels), flat(scores));
    }

    private static float[] flat(float[][] rows) {
        float[] all = new float[rows.length * rows[0].length];
        IntStream.range(0, all.length)
                .forEach(i -> all[i] = rows[i / rows[0].length][i % rows[0].length]);
        return all;
    }

    @Test
    void aNetworkWrittenWithQuantizersTrainsFromScratch() {
        double accuracy = QuantizedFromScratch.train(StrokeDigits.split(1, 640, 100));
        assertTrue(accuracy > 0.7, "reaches " + accuracy);
    }

    @Test
    void predictionReadsTheFileOfTheFirstExample(@TempDir Path folder) throws OrtException {
        String onnx = folder.resolve("model.onnx").toString();
        HelloQuantization.main(new String[] {onnx});
        assertEquals(List.of("output"), OnnxReader.read(Path.of(onnx)).outputs());
        PredictOnCpu.main(new String[] {onnx});
        PredictWithOnnxRuntime.main(new String[] {onnx});
    }

    @Test
    void earlyStoppingFindsTheBestQuantizedNetwork() {
        requireEqual(LeNetMnist.run(TOY, 1, 2));
    }

    @Test
    void twoBitsAreTrainedWithAndWithoutATeacher() {
        requireRows(4, DistilledTwoBit.run(TOY, 1));
    }

    @Test
    void fourBitsAreReachedInStages() {
        requireEqual(ProgressiveInt4.run(TOY, 3));
    }

    @Test
    void aResidualNetworkIsTrainedWithFewBits() {
        requireEqual(ResNetCifar.run(TOY, 1, 2));
    }

    @Test
    void anEncoderBlockComputesTheSameCodesInJavaAndInTheRuntime() {
        MarkedSums sequences = MarkedSums.draw(1, 64, 6, 32);
        requireEqual(AttentionSequence.run(sequences, sequences, 6, 1));
    }

    @Test
    void anLstmThatReadsDigitsComputesTheSameCodesInJavaAndInTheRuntime() {
        requireEqual(LstmSequence.run(TOY, 1, 1));
    }

    @Test
    void aModelOfKerasBecomesIntegers(@TempDir Path folder) throws Exception {
        try (InputStream keras = KerasToIntegers.class.getResourceAsStream("digits.h5")) {
            requireEqual(KerasToIntegers.run(keras, TOY, 1, folder.resolve("keras.onnx")));
        }
    }

    @Test
    void widthsAreSearchedWithinTheBudget() {
        MixedPrecision.Found found = MixedPrecisionSearch.run(TOY, 1, 3);
        assertTrue(
                List.of(2, 4, 8).containsAll(found.widths().values()), found.widths().toString());
    }
}
