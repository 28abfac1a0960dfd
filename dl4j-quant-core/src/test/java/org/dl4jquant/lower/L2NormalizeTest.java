// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Divisions of examples by their length: network, reference and runtime compute alike. */
class L2NormalizeTest {

    private static final int EXAMPLES = 4;

    private static ComputationGraphConfiguration.GraphBuilder builder(int seed) {
        return new NeuralNetConfiguration.Builder().seed(seed).graphBuilder().addInputs("in");
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(3)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static ComputationGraph initialized(
            ComputationGraphConfiguration.GraphBuilder builder, InputType input) {
        ComputationGraph network =
                new ComputationGraph(builder.setOutputs("out").setInputTypes(input).build());
        network.init();
        return network;
    }

    /** The input itself, a dense layer's result, and images; some with a ReLU after it. */
    private static ComputationGraph network(Random random, int seed) {
        L2NormalizeVertex vertex =
                new L2NormalizeVertex(
                        seed % 6 == 4 ? new int[] {1} : null, seed % 5 == 0 ? 2.5 : 1e-8);
        ComputationGraphConfiguration.GraphBuilder builder = builder(seed);
        InputType input =
                seed % 3 == 2
                        ? InputType.convolutional(4, 3, 2)
                        : InputType.feedForward(2 + random.nextInt(20));
        String before = "in";
        if (seed % 3 == 1) {
            builder.addLayer(
                    "dense",
                    new DenseLayer.Builder().nOut(5).activation(Activation.IDENTITY).build(),
                    "in");
            before = "dense";
        } else if (seed % 3 == 2) {
            builder.addLayer(
                    "dense",
                    new ConvolutionLayer.Builder(2, 2).nOut(3).activation(Activation.TANH).build(),
                    "in");
            before = "dense";
        }
        builder.addVertex("length", vertex, before);
        String last = "length";
        if (seed % 2 == 0) {
            builder.addLayer("relu", new ActivationLayer(Activation.RELU), "length");
            last = "relu";
        }
        return initialized(builder.addLayer("out", output(), last), input);
    }

    private static INDArray features(ComputationGraph network, int seed) {
        INDArray features =
                seed % 3 == 2
                        ? Nd4j.randn(EXAMPLES, 2, 4, 3)
                        : Nd4j.randn(EXAMPLES, network.getLayer(0).paramTable().get("W").size(0));
        return features.muli(1 + seed);
    }

    @Test
    void networkReferenceAndRuntimeComputeTheSameCodes() {
        for (int seed = 0; seed < 9; seed++) {
            Nd4j.getRandom().setSeed(seed);
            ComputationGraph network = network(new Random(seed), seed);
            INDArray features =
                    seed % 3 == 0
                            ? Nd4j.randn(EXAMPLES, outputsBefore(network)).muli(1 + seed)
                            : features(network, seed);
            features.slice(0).assign(0);
            IntGraph graph =
                    EqualIntegers.of(
                            network,
                            QuantSpec.of(LayerScheme.INT8),
                            new DataSet(features, Nd4j.rand(EXAMPLES, 3)));
            assertEquals(1, graph.nodes().stream().filter(Normalize.class::isInstance).count());
        }
    }

    private static long outputsBefore(ComputationGraph network) {
        return network.getLayer("out").paramTable().get("W").size(0);
    }

    @Test
    void resultsAreNearTheFloatNetworksAndNanIsNan() {
        Nd4j.getRandom().setSeed(1);
        ComputationGraph network = network(new Random(1), 1);
        INDArray features = features(network, 1);
        INDArray expected = network.outputSingle(features);
        ComputationGraph quantized =
                Quantization.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(new DataSet(features, Nd4j.rand(EXAMPLES, 3))));
        INDArray found = quantized.outputSingle(features);
        double noise = expected.sub(found).norm2Number().doubleValue();
        assertTrue(noise < 0.03 * expected.norm2Number().doubleValue(), "noise " + noise);
        features.putScalar(2, 0, Float.NaN);
        float[] lost = RowMajor.floats(quantized.outputSingle(features));
        float[] before = RowMajor.floats(found);
        for (int i = 0; i < lost.length; i++) {
            assertEquals(i / 3 == 2 ? Float.NaN : before[i], lost[i]);
        }
    }

    /** The vertex that prepare makes is found in model files under its class's name. */
    @Test
    void aPreparedNetworkIsCopiedByItsJson() {
        ComputationGraph network = network(new Random(1), 1);
        INDArray features = features(network, 1);
        ComputationGraph quantized =
                Quantization.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(new DataSet(features, Nd4j.rand(EXAMPLES, 3))));
        ComputationGraphConfiguration conf = quantized.getConfiguration();
        assertEquals(conf, ComputationGraphConfiguration.fromJson(conf.toJson()));
        ComputationGraph copy =
                new ComputationGraph(ComputationGraphConfiguration.fromJson(conf.toJson()));
        copy.init(quantized.params(), true);
        assertEquals(quantized.outputSingle(features), copy.outputSingle(features));
    }

    @Test
    void refusesTheLengthAlongOneDimensionOfImages() {
        ComputationGraphConfiguration.GraphBuilder builder =
                builder(3)
                        .addLayer(
                                "convolution",
                                new ConvolutionLayer.Builder(1, 1).nOut(3).build(),
                                "in")
                        .addVertex(
                                "length", new L2NormalizeVertex(new int[] {1}, 1e-8), "convolution")
                        .addLayer("out", output(), "length");
        ComputationGraph network = initialized(builder, InputType.convolutional(1, 1, 2));
        ComputationGraph quantized =
                Quantization.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(
                                new DataSet(
                                        Nd4j.randn(EXAMPLES, 2, 1, 1), Nd4j.rand(EXAMPLES, 3))));
        String message =
                assertThrows(IllegalArgumentException.class, () -> Quantization.lower(quantized))
                        .getMessage();
        assertTrue(
                message.contains(
                        "it divides by the length along the dimensions [1] of [3x1x1]; divide by"
                                + " the length of whole examples"),
                message);
    }
}
