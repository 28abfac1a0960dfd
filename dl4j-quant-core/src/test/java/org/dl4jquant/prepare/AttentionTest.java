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
                        network,
                        QuantSpec.of(LayerScheme.INT4),
                        new SingletonDataSetIterator(data()))
                .network();
    }

    private static float scale(MultiLayerNetwork network, String key) {
        return network.getLayer(0).getParam(key).getFloat(0);
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
