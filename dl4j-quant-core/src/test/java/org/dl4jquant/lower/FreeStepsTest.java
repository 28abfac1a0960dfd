// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.LongRange;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/** One graph, and one ONNX file, for sequences of any number of steps. */
class FreeStepsTest {

    private static final LoweringOptions FREE = LoweringOptions.DEFAULT.withFreeSteps(true);
    private static final int MOST_STEPS = 20;

    private static void requireEqual(
            MultiLayerNetwork network, IntGraph graph, INDArray features, INDArray mask) {
        Map<String, Batch.Floats> inputs =
                graph.inputs().size() == 1
                        ? EngineInputs.of(graph, features)
                        : EngineInputs.of(graph, features, mask);
        INDArray expected =
                graph.inputs().size() == 1
                        ? network.output(features)
                        : network.output(features, false, mask, null);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            Batch.Floats found = (Batch.Floats) reference.run(inputs).get(graph.outputs().get(0));
            assertArrayEquals(RowMajor.floats(expected), found.values());
            EqualityCheck.between(reference, onnx).over(List.of(inputs)).requireEqual();
        }
    }

    private static void requireAnyNumber(long seed) {
        Random random = new Random(seed);
        DrawnSequences drawn = DrawnSequences.of(random, false);
        IntGraph graph = Quantization.lower(drawn.prepared(), FREE.withMasks(random.nextBoolean()));
        IntGraph read = OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "written");
        assertEquals(graph, read);
        assertTrue(read.hasFreeSteps());
        for (int steps : new int[] {1, drawn.steps(), 1 + random.nextInt(MOST_STEPS)}) {
            int examples = 1 + random.nextInt(3);
            requireEqual(
                    drawn.prepared(),
                    read,
                    drawn.features(random, examples, steps),
                    DrawnSequences.holes(random, examples, steps));
        }
    }

    @Property(tries = 5)
    void oneGraphRunsAnyNumberOfSteps(@ForAll @LongRange(min = 0) long seed) {
        requireAnyNumber(seed);
    }

    @Property(tries = 100)
    @Tag("thorough")
    void manyGraphsRunAnyNumberOfSteps(@ForAll @LongRange(min = 0) long seed) {
        requireAnyNumber(seed);
    }

    private static MultiLayerNetwork prepared(InputType input, long[] shape, Layer... layers) {
        MultiLayerNetwork trained = Networks.of(input, layers);
        DataSet data = new DataSet(Networks.normal(3, shape), Networks.labels((int) shape[0]));
        return Quantization.prepare(
                trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
    }

    private static LSTM lstm(RNNFormat format) {
        return new LSTM.Builder().nOut(4).activation(Activation.TANH).dataFormat(format).build();
    }

    @Test
    void sequencesWithTheFeaturesLastHaveAnyNumberOfSteps() {
        MultiLayerNetwork network =
                prepared(
                        InputType.recurrent(3, 5, RNNFormat.NWC),
                        new long[] {8, 5, 3},
                        lstm(RNNFormat.NWC),
                        new LastTimeStep(lstm(RNNFormat.NWC)),
                        DrawnSequences.one());
        IntGraph graph = Quantization.lower(network, FREE);
        INDArray features = Networks.normal(4, 2, 9, 3);
        requireEqual(network, graph, features, features);
    }

    @Test
    void functionsOfCodesHaveAnyNumberOfSteps() {
        MultiLayerNetwork network =
                prepared(
                        InputType.recurrent(3, 5),
                        new long[] {8, 3, 5},
                        lstm(RNNFormat.NCW),
                        new ActivationLayer(Activation.SIGMOID),
                        new LastTimeStep(lstm(RNNFormat.NCW)),
                        DrawnSequences.one());
        IntGraph graph = Quantization.lower(network, FREE);
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "written"));
        INDArray features = Networks.normal(4, 2, 3, 8);
        requireEqual(network, graph, features, features);
    }

    @Test
    void whatComputesForAFixedNumberIsNamed() {
        MultiLayerNetwork network =
                prepared(
                        InputType.recurrent(3, 5),
                        new long[] {8, 3, 5},
                        lstm(RNNFormat.NCW),
                        new GlobalPoolingLayer.Builder(PoolingType.AVG).build(),
                        DrawnSequences.one());
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(network, FREE))
                        .getMessage();
        assertTrue(message.contains("computes for a fixed number"), message);
    }

    @Test
    void inputsOfDifferentLengthsAndOtherFeaturesAreNamed() {
        IntGraph graph =
                Quantization.lower(
                        prepared(
                                InputType.recurrent(3, 5),
                                new long[] {8, 3, 5},
                                new LastTimeStep(lstm(RNNFormat.NCW)),
                                DrawnSequences.one()),
                        FREE.withMasks(true));
        try (Engine engine = Engine.open("reference", graph)) {
            Map<String, Batch.Floats> unequal =
                    Map.of(
                            "input", Batch.Floats.of(1, Shape.of(3, 7), new float[21]),
                            "input.mask", Batch.Floats.of(1, Shape.of(6), new float[6]));
            assertEquals(
                    "input 'input.mask' has examples of shape [6]; the graph takes [7]",
                    assertThrows(IllegalArgumentException.class, () -> engine.run(unequal))
                            .getMessage());
            Map<String, Batch.Floats> features =
                    Map.of(
                            "input", Batch.Floats.of(1, Shape.of(2, 7), new float[14]),
                            "input.mask", Batch.Floats.of(1, Shape.of(7), new float[7]));
            assertEquals(
                    "input 'input' has examples of shape [2x7]; the graph takes [3x7]",
                    assertThrows(IllegalArgumentException.class, () -> engine.run(features))
                            .getMessage());
        }
        assertThrows(IllegalArgumentException.class, () -> graph.withSteps(0));
        assertEquals(4, graph.withSteps(4).inputs().get(0).shape().size(1));
    }
}
