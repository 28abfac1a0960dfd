// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/** No integer stands for a parameter that is NaN or infinite. */
class NanParametersTest {

    private static final int TRIES = 60;
    private static final float[] LOST = {
        Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY
    };

    private static final class Samples {
        static final DataSet GREY = TestNetworks.images(4, 1, 6);
        static final DataSet COLOURS = TestNetworks.images(4, 3, 6);
        static final MultiLayerNetwork LE_NET =
                Quantization.prepare(
                        TestNetworks.leNet(),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(GREY));
        static final MultiLayerNetwork TABLES =
                Quantization.prepare(
                        TestNetworks.plain(Activation.TANH.getActivationFunction()),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(GREY));
        static final ComputationGraph MOBILE_NET =
                Quantization.prepare(
                        TestNetworks.mobileNet(),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(COLOURS));
    }

    @Property(tries = TRIES)
    void aNetworkOfOneLostParameterNeitherLowersNorAnswers(@ForAll Random random) {
        switch (random.nextInt(3)) {
            case 0 -> requireRefusal(random, Samples.LE_NET);
            case 1 -> requireRefusal(random, Samples.TABLES);
            default ->
                    requireRefusal(
                            random,
                            Samples.MOBILE_NET.getLayers(),
                            () -> Quantization.lower(Samples.MOBILE_NET),
                            () -> Samples.MOBILE_NET.output(Samples.COLOURS.getFeatures()));
        }
    }

    private static void requireRefusal(Random random, MultiLayerNetwork network) {
        requireRefusal(
                random,
                network.getLayers(),
                () -> Quantization.lower(network),
                () -> network.output(Samples.GREY.getFeatures()));
    }

    private static void requireRefusal(
            Random random, Layer[] layers, Runnable lower, Runnable infer) {
        List<Layer> learned = Arrays.stream(layers).filter(layer -> layer.numParams() > 0).toList();
        Layer layer = learned.get(random.nextInt(learned.size()));
        List<String> keys = List.copyOf(layer.paramTable().keySet());
        String key = keys.get(random.nextInt(keys.size()));
        INDArray parameter = layer.getParam(key);
        INDArray good = parameter.dup();
        String name = layer.conf().getLayer().getLayerName();
        parameter.putScalar(
                (long) (random.nextDouble() * parameter.length()),
                LOST[random.nextInt(LOST.length)]);

        String refusal = assertThrows(LoweringException.class, lower::run).getMessage();
        assertTrue(
                refusal.startsWith("layer '" + name + "' cannot be lowered")
                        && refusal.contains("its parameter \"" + key + "\" is NaN or infinite"),
                name + ", " + key + ": " + refusal);
        String stop = assertThrows(IllegalStateException.class, infer::run).getMessage();
        assertTrue(stop.contains("layer \"" + name + "\""), name + ", " + key + ": " + stop);

        parameter.assign(good);
        lower.run();
    }

    @Test
    void saysWhichParameterIsLostAndWhatToDo() {
        MultiLayerNetwork network =
                Quantization.prepare(
                        Networks.of(
                                InputType.feedForward(6),
                                new DenseLayer.Builder()
                                        .name("first")
                                        .nOut(8)
                                        .hasBias(false)
                                        .activation(Activation.RELU)
                                        .build(),
                                new OutputLayer.Builder().name("last").nOut(3).build()),
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(Networks.data(16, 6)));
        network.getLayer("first").getParam("W").putScalar(3, Float.NaN);

        assertEquals(
                "layer 'first' cannot be lowered to integers: its parameter \"W\" is NaN or"
                        + " infinite; training has diverged: go back to the last good checkpoint,"
                        + " and lower the learning rate or clip the gradients",
                assertThrows(LoweringException.class, () -> Quantization.lower(network))
                        .getMessage());
        assertEquals(
                "layer \"first\": its parameter \"W\" is NaN or infinite, and no integer stands for"
                        + " that; training has diverged. Go back to the last good checkpoint, and"
                        + " lower the learning rate or clip the gradients",
                assertThrows(
                                IllegalStateException.class,
                                () -> network.output(Networks.normal(1, 4, 6)))
                        .getMessage());
    }

    @Test
    void aNegativeVarianceIsNoStatistic() {
        MultiLayerNetwork network =
                Quantization.prepare(
                        Networks.of(
                                InputType.feedForward(6),
                                new DenseLayer.Builder()
                                        .nOut(4)
                                        .activation(Activation.IDENTITY)
                                        .build(),
                                new BatchNormalization.Builder().useLogStd(false).build(),
                                new OutputLayer.Builder().nOut(3).build()),
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(Networks.data(16, 6)));
        network.getLayer(0).getParam("var").putScalar(2, -1);

        String stop =
                assertThrows(
                                IllegalStateException.class,
                                () -> network.output(Networks.normal(1, 4, 6)))
                        .getMessage();

        assertTrue(stop.contains("its running variance there is -1.0"), stop);
        String refusal =
                assertThrows(RuntimeException.class, () -> Quantization.lower(network))
                        .getMessage();
        assertTrue(refusal.contains("its running variance there is -1.0"), refusal);
    }
}
