// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.nio.file.Path;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shortest path from a trained network to integers; start here.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.HelloQuantization
 * }</pre>
 *
 * <p>It prints a table of the layers and their quantizers, checks that two engines compute the same
 * integers, and writes {@code model.onnx} in the current folder, which {@link PredictOnCpu} and
 * {@link PredictWithOnnxRuntime} read.
 */
public final class HelloQuantization {

    private static final Logger log = LoggerFactory.getLogger(HelloQuantization.class);

    private static final int TRAIN_IMAGES = 640;
    private static final int TEST_IMAGES = 100;
    private static final int BATCH = 32;
    private static final long SEED = 1;

    private HelloQuantization() {}

    /**
     * Trains a LeNet for one short epoch and quantizes it.
     *
     * @param args where the ONNX file goes; {@code model.onnx} without it
     */
    public static void main(String[] args) {
        Path onnx = Path.of(args.length == 0 ? "model.onnx" : args[0]);
        TrainTest data = StrokeDigits.split(SEED, TRAIN_IMAGES, TEST_IMAGES);
        DataSetIterator train = data.train().shuffled(BATCH, SEED);

        log.info("Train in float....");
        MultiLayerNetwork trained = LeNet.create(data.train(), SEED, new FixedSchedule(1e-3));
        trained.fit(train, 1);

        log.info("Quantize, train on, lower to integers....");
        quantize(trained, train, data.test().inOrder(TEST_IMAGES).next().getFeatures(), onnx);
        log.info("The integers are in {}.", onnx);
    }

    static IntGraph quantize(
            MultiLayerNetwork trained, DataSetIterator train, INDArray test, Path onnx) {
        // Which layer gets which scheme: 8-bit weights and activations, and 4 bits for one layer.
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT8).with(LayerSelector.named("conv2"), LayerScheme.INT4);
        // The network with quantizers in it. Logs the outcome for each layer, with its reason.
        trained.setLearningRate(1e-4);
        MultiLayerNetwork quantized = Quantization.prepare(trained, spec, train);
        // It is a DL4J network: fit, evaluate, listeners, early stopping, ModelSerializer.
        quantized.fit(train, 2);
        // From here on there are only integers, and no ND4J.
        IntGraph graph = Quantization.lower(quantized);
        OnnxWriter.write(graph, onnx);
        // Two engines must agree in every code of every node.
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnxRuntime)
                    .over(EngineInputs.of(graph, test))
                    .requireEqual();
        }
        return graph;
    }
}
