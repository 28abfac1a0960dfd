// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks with self-attention whose inner products are rounded. */
class AttentionTest {

    private static final int EXAMPLES = 8;
    private static final int STEPS = 5;
    private static final List<String> SCALES =
            List.of("scaleQuery", "scaleKey", "scaleValue", "scaleProbability", "scaleJoined");

    /* The largest code of 4 bits without a sign. */
    private static final double LARGEST_CODE = 15;

    /* Sums of a few float32 products of magnitude 1; the seed leaves no value beside a tie. */
    private static final double FLOAT_SUMS = 1e-5;

    private static DataSet data() {
        INDArray labels = Nd4j.zeros(EXAMPLES, 2, STEPS);
        for (int e = 0; e < EXAMPLES; e++) {
            for (int t = 0; t < STEPS; t++) {
                labels.putScalar(new int[] {e, e % 2, t}, 1);
            }
        }
        return new DataSet(Networks.normal(4, EXAMPLES, 3, STEPS), labels);
    }

    private static MultiLayerNetwork prepared() {
        return prepared(LayerScheme.INT4);
    }

    private static MultiLayerNetwork prepared(LayerScheme scheme) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(5)
                                .updater(new Sgd(0.1))
                                .list()
                                .layer(
                                        new SelfAttentionLayer.Builder()
                                                .nOut(4)
                                                .nHeads(2)
                                                .projectInput(true)
                                                .build())
                                .layer(
                                        new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                                .nOut(2)
                                                .activation(Activation.SOFTMAX)
                                                .build())
                                .setInputType(InputType.recurrent(3, STEPS))
                                .build());
        network.init();
        return Preparation.prepare(
                        network, QuantSpec.of(scheme), new SingletonDataSetIterator(data()))
                .network();
    }

    private static float scale(MultiLayerNetwork network, String key) {
        return network.getLayer(0).getParam(key).getFloat(0);
    }

    @Test
    void theResultIsThatOfLoopsThatRoundEachFactor() {
        MultiLayerNetwork network = prepared(new LayerScheme(null, TensorScheme.activations(4)));
        INDArray x = data().getFeatures();
        INDArray actual = network.feedForward(x).get(1);
        for (int e = 0; e < EXAMPLES; e++) {
            double[][] expected = attention(network, x, e);
            for (int i = 0; i < expected.length; i++) {
                for (int t = 0; t < STEPS; t++) {
                    assertEquals(expected[i][t], actual.getDouble(e, i, t), FLOAT_SUMS);
                }
            }
        }
    }

    /* One example's attention of two heads, in double: [outputs][steps]. */
    private static double[][] attention(MultiLayerNetwork network, INDArray x, int example) {
        double[][] in = new double[3][STEPS];
        for (int i = 0; i < in.length; i++) {
            for (int t = 0; t < STEPS; t++) {
                in[i][t] = rounded(network, "scaleIn", x.getDouble(example, i, t), true);
            }
        }
        double[][] joined = new double[4][];
        for (int head = 0; head < 2; head++) {
            double[][] queries = projection(network, "Query", "Wq", head, in);
            double[][] keys = projection(network, "Key", "Wk", head, in);
            double[][] values = projection(network, "Value", "Wv", head, in);
            double[][] weights = probabilities(network, queries, keys);
            for (int i = 0; i < 2; i++) {
                joined[head * 2 + i] = new double[STEPS];
                for (int t = 0; t < STEPS; t++) {
                    double sum = 0;
                    for (int u = 0; u < STEPS; u++) {
                        sum += weights[t][u] * values[i][u];
                    }
                    joined[head * 2 + i][t] = rounded(network, "scaleJoined", sum, true);
                }
            }
        }
        return result(network, joined);
    }

    private static double[][] projection(
            MultiLayerNetwork network, String role, String key, int head, double[][] in) {
        INDArray w = network.getLayer(0).getParam(key);
        double[][] out = new double[2][STEPS];
        for (int i = 0; i < 2; i++) {
            for (int t = 0; t < STEPS; t++) {
                double sum = 0;
                for (int j = 0; j < in.length; j++) {
                    sum += w.getDouble(head, i, j) * in[j][t];
                }
                out[i][t] = rounded(network, "scale" + role, sum, true);
            }
        }
        return out;
    }

    /* [query][key] */
    private static double[][] probabilities(
            MultiLayerNetwork network, double[][] queries, double[][] keys) {
        double[][] all = new double[STEPS][STEPS];
        for (int t = 0; t < STEPS; t++) {
            double total = 0;
            for (int u = 0; u < STEPS; u++) {
                double product = queries[0][t] * keys[0][u] + queries[1][t] * keys[1][u];
                all[t][u] = Math.exp(product / Math.sqrt(2));
                total += all[t][u];
            }
            for (int u = 0; u < STEPS; u++) {
                all[t][u] = rounded(network, "scaleProbability", all[t][u] / total, false);
            }
        }
        return all;
    }

    private static double[][] result(MultiLayerNetwork network, double[][] joined) {
        INDArray w = network.getLayer(0).getParam("Wo");
        double[][] out = new double[4][STEPS];
        for (int i = 0; i < out.length; i++) {
            for (int t = 0; t < STEPS; t++) {
                double sum = 0;
                for (int j = 0; j < joined.length; j++) {
                    sum += w.getDouble(j, i) * joined[j][t];
                }
                out[i][t] = rounded(network, "scaleOut", sum, true);
            }
        }
        return out;
    }

    private static double rounded(
            MultiLayerNetwork network, String key, double value, boolean signed) {
        float scale = scale(network, key);
        double code = Math.rint(value / scale);
        return scale * (signed ? Math.max(-8, Math.min(7, code)) : Math.min(LARGEST_CODE, code));
    }

    @Test
    void dataSetTheScalesAndTrainingMovesThem() {
        MultiLayerNetwork network = prepared();
        assertTrue(scale(network, "scaleProbability") <= 1 / LARGEST_CODE);
        List<Float> before = SCALES.stream().map(key -> scale(network, key)).toList();
        network.fit(data());
        for (int i = 0; i < SCALES.size(); i++) {
            assertNotEquals(before.get(i), scale(network, SCALES.get(i)), SCALES.get(i));
        }
    }

    @Test
    void trainingLowersTheLoss() {
        MultiLayerNetwork network = prepared();
        double before = network.score(data());
        for (int i = 0; i < 60; i++) {
            network.fit(data());
        }
        assertTrue(network.score(data()) < before);
    }

    @Test
    void aFileKeepsTheRounding(@TempDir Path folder) throws IOException {
        MultiLayerNetwork network = prepared();
        network.fit(data());
        File file = folder.resolve("model.zip").toFile();
        network.save(file);
        MultiLayerNetwork loaded = MultiLayerNetwork.load(file, true);
        INDArray x = data().getFeatures();
        assertEquals(network.output(x), loaded.output(x));
        network.fit(data());
        loaded.fit(data());
        assertEquals(network.params(), loaded.params());
    }

    @Test
    void widerCodesAreUsedWhileAnotherPrecisionIsInForce() {
        MultiLayerNetwork network = prepared();
        float narrow = scale(network, "scaleProbability");
        INDArray before = network.output(data().getFeatures());
        QuantizedLayers.setPrecision(network.getLayer(0), Precision.INT8);
        assertEquals(narrow * 15f / 255f, scale(network, "scaleProbability"), 1e-8f);
        assertNotEquals(before, network.output(data().getFeatures()));
    }
}
