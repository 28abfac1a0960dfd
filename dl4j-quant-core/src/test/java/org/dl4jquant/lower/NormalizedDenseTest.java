// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Dense layers with layer normalization: network, reference and runtime compute alike. */
class NormalizedDenseTest {

    private static final int EXAMPLES = 5;
    private static final int IN = 6;
    private static final Activation[] FUNCTIONS = {
        Activation.RELU, Activation.IDENTITY, Activation.TANH, Activation.GELU, Activation.RELU6
    };

    private static MultiLayerNetwork network(Random random, int seed) {
        NeuralNetConfiguration.ListBuilder layers =
                new NeuralNetConfiguration.Builder().seed(seed).list();
        int in = IN;
        for (int i = 0; i < 2; i++) {
            int out = 1 + random.nextInt(12);
            layers.layer(
                    new DenseLayer.Builder()
                            .nIn(in)
                            .nOut(out)
                            .hasLayerNorm(true)
                            .hasBias(random.nextInt(4) > 0)
                            .activation(FUNCTIONS[(seed + i) % FUNCTIONS.length])
                            .build());
            in = out;
        }
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        layers.layer(
                                        new OutputLayer.Builder(LossFunction.MSE)
                                                .nIn(in)
                                                .nOut(2)
                                                .activation(Activation.IDENTITY)
                                                .build())
                                .build());
        network.init();
        for (String key : network.paramTable().keySet()) {
            if (key.endsWith("_g") || key.endsWith("_b")) {
                network.getParam(key).addi(Nd4j.randn(network.getParam(key).shape()).muli(0.4));
            }
        }
        return network;
    }

    private static LayerScheme scheme(int seed) {
        LayerScheme int8 = LayerScheme.INT8;
        return switch (seed % 3) {
            case 0 -> int8;
            case 1 -> LayerScheme.ofBits(4, 4);
            default ->
                    new LayerScheme(
                            int8.weights(), int8.activations().withSymmetry(Symmetry.ASYMMETRIC));
        };
    }

    private static DataSet data() {
        return new DataSet(Nd4j.randn(EXAMPLES, IN), Nd4j.rand(EXAMPLES, 2));
    }

    @Test
    void networkReferenceAndRuntimeComputeTheSameCodes() {
        for (int seed = 0; seed < 10; seed++) {
            Nd4j.getRandom().setSeed(seed);
            IntGraph graph =
                    EqualIntegers.of(
                            network(new Random(seed), seed), QuantSpec.of(scheme(seed)), data());
            assertEquals(2, graph.nodes().stream().filter(Normalize.class::isInstance).count());
        }
    }

    /** Codes of 8 bits have about 40 dB each; a handful of them follow one another. */
    @Test
    void resultsAreNearTheFloatNetworks() {
        for (int seed = 0; seed < 9; seed += 3) {
            Nd4j.getRandom().setSeed(seed);
            MultiLayerNetwork network = network(new Random(seed + 50), seed);
            DataSet data = data();
            INDArray expected = network.output(data.getFeatures());
            INDArray found =
                    Quantization.prepare(
                                    network, QuantSpec.of(LayerScheme.INT8), Networks.batches(data))
                            .output(data.getFeatures());
            double noise = expected.sub(found).norm2Number().doubleValue();
            double signal = expected.norm2Number().doubleValue();
            int failing = seed;
            assertTrue(
                    noise < 0.05 * signal,
                    () -> "seed " + failing + ": noise " + noise + " of " + signal);
        }
    }

    @Test
    void anExampleWithNanIsNanAndOthersAreNot() {
        DataSet data = data();
        MultiLayerNetwork network =
                Quantization.prepare(
                        network(new Random(1), 1),
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(data));
        float[] expected = RowMajor.floats(network.output(data.getFeatures()));
        INDArray lost = data.getFeatures().dup().putScalar(2, 3, Float.NaN);
        float[] found = RowMajor.floats(network.output(lost));
        for (int i = 0; i < found.length; i++) {
            assertEquals(i / 2 == 2 ? Float.NaN : expected[i], found[i]);
        }
    }

    @Test
    void namesAGainThatIsNaN() {
        MultiLayerNetwork network =
                Quantization.prepare(
                        network(new Random(1), 1),
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(data()));
        network.getParam("1_g").putScalar(0, Float.NaN);
        String message =
                assertThrows(RuntimeException.class, () -> Quantization.lower(network))
                        .getMessage();
        assertTrue(message.contains("parameter \"g\" is NaN or infinite"), message);
    }
}
