// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A training stops in the iteration in which a number is NaN, says which, and changes nothing. */
class NanTrainingTest {

    private static final int TRIES = 60;
    private static final int THOROUGH_TRIES = 2000;
    private static final String UNCHANGED =
            " Clean the data, or leave the example out. No parameter has been changed by this"
                    + " batch";
    private static final String DIVERGED =
            "training has diverged. Go back to the last good checkpoint, and lower the learning"
                    + " rate or clip the gradients";

    private static final LayerScheme FLOAT = LayerScheme.FLOAT;

    private enum Place {
        FEATURE,
        LABEL,
        PARAMETER
    }

    /**
     * A network with quantizers.
     *
     * @param name its subject
     * @param network the network
     * @param data its training data
     */
    private record Sample(String name, ComputationGraph network, DataSet data) {}

    private static final class Samples {
        static final List<Sample> ALL = all();

        private static List<Sample> all() {
            List<Sample> all = new ArrayList<>();
            for (SampleNetworks.Kind kind : SampleNetworks.all()) {
                Estimator estimator = all.size() % 2 == 0 ? Estimator.LSQ : Estimator.STE;
                QuantSpec spec = QuantSpec.of(int8(estimator));
                all.add(sample(kind, kind.name() + " with " + estimator, spec));
                boolean parametersInFloat = kind.name().contains("AttentionVertex");
                if (parametersInFloat) {
                    LayerSelector it = LayerSelector.named(SampleNetworks.NAME);
                    all.add(sample(kind, kind.name() + " in float", spec.with(it, FLOAT)));
                }
            }
            return all;
        }

        private static Sample sample(SampleNetworks.Kind kind, String name, QuantSpec spec) {
            return new Sample(
                    name,
                    Preparation.prepare(
                                    kind.network(), spec, new SingletonDataSetIterator(kind.data()))
                            .network(),
                    kind.data());
        }
    }

    private static LayerScheme int8(Estimator estimator) {
        return new LayerScheme(
                LayerScheme.INT8.weights().withEstimator(estimator),
                LayerScheme.INT8.activations().withEstimator(estimator));
    }

    @Property(tries = TRIES)
    void aTrainingStopsAtWhateverIsNan(@ForAll Random random) {
        requireStop(random);
    }

    @Tag("thorough")
    @Property(tries = THOROUGH_TRIES)
    void everySampleStopsAtWhateverIsNan(@ForAll Random random) {
        requireStop(random);
    }

    private static void requireStop(Random random) {
        Sample sample = Samples.ALL.get(random.nextInt(Samples.ALL.size()));
        Place place = Place.values()[random.nextInt(Place.values().length)];
        ComputationGraph network = sample.network();
        INDArray good = network.params().dup();
        DataSet batch = sample.data().copy();
        INDArray broken =
                switch (place) {
                    case FEATURE -> batch.getFeatures();
                    case LABEL -> batch.getLabels();
                    case PARAMETER -> network.params();
                };
        long at = (long) (random.nextDouble() * broken.length());
        broken.putScalar(at, Float.NaN);
        float[] before = RowMajor.floats(network.params());
        String where = sample.name() + ", " + place + " at " + at;

        RuntimeException stop =
                assertThrows(RuntimeException.class, () -> network.fit(batch), where);

        String message = where + ": " + stop.getMessage();
        assertTrue(stop.getMessage().startsWith("layer \""), message);
        assertTrue(
                stop.getMessage()
                        .contains(
                                switch (place) {
                                    case FEATURE -> "the input of this batch";
                                    case LABEL -> "the labels of this batch holds NaN";
                                    case PARAMETER -> " is NaN or infinite; " + DIVERGED;
                                }),
                message);
        assertArrayEquals(before, RowMajor.floats(network.params()), message);
        network.params().assign(good);
    }

    private static MultiLayerNetwork network(LossFunction loss, Activation last) {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.feedForward(6),
                        new DenseLayer.Builder()
                                .name("first")
                                .nOut(8)
                                .hasBias(false)
                                .activation(Activation.RELU)
                                .build(),
                        new OutputLayer.Builder(loss)
                                .name("last")
                                .nOut(Networks.CLASSES)
                                .activation(last)
                                .build());
        return Preparation.prepare(
                        trained,
                        QuantSpec.of(int8(Estimator.STE)),
                        Networks.batches(Networks.data(16, 6)))
                .network();
    }

    private static MultiLayerNetwork classifier() {
        return network(LossFunction.MCXENT, Activation.SOFTMAX);
    }

    /** A layer in float is not checked itself, but the batch is not blamed for its parameter. */
    @Test
    void saysThatAParameterInFloatIsNotFinite() {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.feedForward(6),
                        new DenseLayer.Builder().name("float").nOut(8).build(),
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .name("last")
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        MultiLayerNetwork network =
                Preparation.prepare(
                                trained,
                                QuantSpec.of(LayerScheme.INT8)
                                        .with(LayerSelector.named("float"), FLOAT),
                                Networks.batches(Networks.data(16, 6)))
                        .network();
        network.getLayer("float").getParam("b").putScalar(2, Float.NaN);

        assertEquals(
                "layer \"last\", epoch 0, iteration 0: its input holds NaN, because number 50 of"
                        + " the network's params() is NaN or infinite; "
                        + DIVERGED,
                assertThrows(IllegalStateException.class, () -> network.fit(Networks.data(8, 6)))
                        .getMessage());
    }

    @Test
    void saysWhichExampleHoldsNanAndGoesOnWithTheNextBatch() {
        MultiLayerNetwork network = classifier();
        network.fit(Networks.data(8, 6));
        INDArray before = network.params().dup();
        DataSet broken = Networks.data(8, 6);
        broken.getFeatures().putScalar(2, 3, Float.NaN);

        assertEquals(
                "layer \"first\", epoch 0, iteration 1: the input of this batch holds NaN, first in"
                        + " example 2 at index 3 of [6]."
                        + UNCHANGED,
                assertThrows(IllegalArgumentException.class, () -> network.fit(broken))
                        .getMessage());

        assertEquals(before, network.params());
        network.fit(Networks.data(8, 6));
        assertFalse(network.params().isNaN().any());
        assertFalse(before.equals(network.params()));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void saysWhichLabelIsNotFinite(float label) {
        MultiLayerNetwork network = classifier();
        DataSet broken = Networks.data(8, 6);
        broken.getLabels().putScalar(5, 1, label);

        assertEquals(
                "layer \"last\", epoch 0, iteration 0: the labels of this batch holds NaN or"
                        + " infinity, first in example 5 at index 1 of [3]."
                        + UNCHANGED,
                assertThrows(IllegalArgumentException.class, () -> network.fit(broken))
                        .getMessage());
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.NEGATIVE_INFINITY})
    void saysWhichParameterIsNotFinite(float value) {
        MultiLayerNetwork network = classifier();
        network.getLayer("first").getParam("W").putScalar(4, value);

        assertEquals(
                "layer \"first\", epoch 0, iteration 0: its parameter \"W\" is NaN or infinite; "
                        + DIVERGED,
                assertThrows(IllegalStateException.class, () -> network.fit(Networks.data(8, 6)))
                        .getMessage());
    }

    @Test
    void aGradientThatOverflowsIsNeitherTheDataNorTheParameters() {
        MultiLayerNetwork network = network(LossFunction.MSE, Activation.IDENTITY);
        DataSet large = Networks.data(8, 6);
        large.getLabels().assign(Float.MAX_VALUE);

        assertEquals(
                "layer \"last\", epoch 0, iteration 0: the gradient of its parameter \"W\" is NaN"
                        + " or infinite, although its parameters and its input are finite, and so are"
                        + " the labels: "
                        + DIVERGED
                        + ". No parameter has been changed by this batch",
                assertThrows(IllegalStateException.class, () -> network.fit(large)).getMessage());
    }

    @Test
    void infiniteFeaturesAreTrainedOnBecauseTheySaturate() {
        MultiLayerNetwork network = classifier();
        MultiLayerNetwork other = network.clone();
        DataSet infinite = Networks.data(8, 6);
        infinite.getFeatures().putScalar(2, 3, Float.POSITIVE_INFINITY);
        DataSet large = Networks.data(8, 6);
        large.getFeatures().putScalar(2, 3, Float.MAX_VALUE);

        network.fit(infinite);
        other.fit(large);

        assertEquals(other.params(), network.params());
        assertFalse(network.params().isNaN().any());
    }
}
