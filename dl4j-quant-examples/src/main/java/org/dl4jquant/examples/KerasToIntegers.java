// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.deeplearning4j.nn.modelimport.keras.exceptions.InvalidKerasConfigurationException;
import org.deeplearning4j.nn.modelimport.keras.exceptions.UnsupportedKerasConfigurationException;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a model of Keras to an ONNX file of integers: DL4J imports it, {@code prepare} puts
 * quantizers in, one epoch trains them, and the file's integers are compared with the reference
 * engine's. Read it to deploy a network that was trained in Keras.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.KerasToIntegers
 * }</pre>
 *
 * <p>It prints four accuracies on 500 images (as imported, calibrated, trained), and how many codes
 * of two engines differ: 0.
 */
public final class KerasToIntegers {

    private static final Logger log = LoggerFactory.getLogger(KerasToIntegers.class);

    private static final String DIGITS = "digits.h5";
    private static final int BATCH = 32;
    private static final long SEED = 3;

    private KerasToIntegers() {}

    /**
     * Runs the example.
     *
     * @param args where the ONNX file goes; {@code keras.onnx} without it
     * @throws Exception if the file of Keras cannot be imported
     */
    public static void main(String[] args) throws Exception {
        Path onnx = Path.of(args.length == 0 ? "keras.onnx" : args[0]);
        // model.save("digits.h5") of Keras 2 writes such a file.
        try (InputStream keras = KerasToIntegers.class.getResourceAsStream(DIGITS)) {
            run(keras, StrokeDigits.split(SEED, 2000, 500), 1, onnx);
        }
    }

    static EqualityReport run(InputStream keras, TrainTest data, int epochs, Path onnx)
            throws IOException,
                    InvalidKerasConfigurationException,
                    UnsupportedKerasConfigurationException {
        log.info("Import the model....");
        MultiLayerNetwork imported = KerasModelImport.importKerasSequentialModelAndWeights(keras);
        DataSetIterator train = channelsLast(data.train().shuffled(BATCH, SEED));
        DataSetIterator test = channelsLast(data.test().inOrder(BATCH));
        log.info("Accuracy as imported: {}", imported.evaluate(test).accuracy());

        log.info("Insert quantizers....");
        MultiLayerNetwork quantized =
                Quantization.prepare(imported, QuantSpec.of(LayerScheme.INT8), train);
        log.info("Accuracy calibrated: {}", quantized.evaluate(test).accuracy());

        log.info("Train with the optimizer of the file....");
        quantized.fit(train, epochs);
        log.info("Accuracy trained: {}", quantized.evaluate(test).accuracy());

        log.info("Write the integers, read them again, compare two engines....");
        OnnxWriter.write(Quantization.lower(quantized), onnx);
        IntGraph graph = OnnxReader.read(onnx);
        test.reset();
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityReport report =
                    EqualityCheck.between(reference, onnxRuntime)
                            .over(EngineInputs.of(graph, test.next().getFeatures()));
            log.info("{} has {} bytes. {}", onnx, Files.size(onnx), report);
            return report;
        }
    }

    /** Keras puts the channels of images last. */
    private static DataSetIterator channelsLast(DataSetIterator images) {
        images.setPreProcessor(
                batch -> batch.setFeatures(batch.getFeatures().permute(0, 2, 3, 1).dup('c')));
        return images;
    }
}
