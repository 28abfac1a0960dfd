// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.FakeQuantLayer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.prepare.Recalibration;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.TensorScheme;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A network that is written with quantizers and trains with them from the start, without a float
 * network before it.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.QuantizedFromScratch
 * }</pre>
 *
 * <p>It prints the accuracy that the integers reach after three epochs.
 */
public final class QuantizedFromScratch {

    private static final Logger log = LoggerFactory.getLogger(QuantizedFromScratch.class);

    private static final int TRAIN_IMAGES = 2_000;
    private static final int TEST_IMAGES = 500;
    private static final int BATCH = 32;
    private static final int EPOCHS = 3;
    private static final long SEED = 1;

    private QuantizedFromScratch() {}

    /**
     * Trains a small network on digits.
     *
     * @param args none
     */
    public static void main(String[] args) {
        TrainTest data = StrokeDigits.split(SEED, TRAIN_IMAGES, TEST_IMAGES);
        log.info("Trained from scratch with 8 bits: {}", train(data));
    }

    /** {@return the accuracy that the integers reach} */
    static double train(TrainTest data) {
        DataSetIterator train = data.train().shuffled(BATCH, SEED);
        // Every layer says whose codes it reads; "pixels" makes the first ones.
        MultiLayerConfiguration conf =
                new NeuralNetConfiguration.Builder()
                        .seed(SEED)
                        .updater(new Adam(1e-3))
                        .list()
                        .layer(FakeQuantLayer.unsigned("pixels", TensorScheme.INT8_ACTIVATIONS))
                        .layer(
                                QuantizedLayer.builder(convolution())
                                        .name("conv")
                                        .reads("pixels")
                                        .build())
                        .layer(QuantizedLayer.builder(dense()).name("dense").reads("conv").build())
                        .layer(
                                QuantizedLayer.builder(output())
                                        .name("output")
                                        .reads("dense")
                                        .build())
                        .setInputType(InputType.convolutional(28, 28, 1))
                        .build();
        MultiLayerNetwork network = new MultiLayerNetwork(conf);
        network.init();
        Recalibration.of(network, train); // optional: scales begin where the data are
        network.fit(train, EPOCHS);

        Evaluation evaluation = network.evaluate(data.test().inOrder(BATCH));
        IntGraph graph = Quantization.lower(network);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnxRuntime)
                    .over(EngineInputs.of(graph, data.test().inOrder(BATCH).next().getFeatures()))
                    .requireEqual();
        }
        return evaluation.accuracy();
    }

    // Their functions are set here: they decide which codes there are.
    private static ConvolutionLayer convolution() {
        return new ConvolutionLayer.Builder(5, 5)
                .stride(2, 2)
                .nOut(16)
                .activation(Activation.RELU)
                .build();
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nOut(64).activation(Activation.RELU).build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.NEGATIVELOGLIKELIHOOD)
                .nOut(10)
                .activation(Activation.SOFTMAX)
                .build();
    }
}
