// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.CodeRounding;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Draws in training that a training repeats, and none elsewhere. */
final class StochasticRoundingTest {

    private static final int EPOCHS = 3;
    private static final long SEED = 8;

    private static QuantSpec spec(CodeRounding rounding) {
        return QuantSpec.of(
                new LayerScheme(
                        TensorScheme.weights(3).withRounding(rounding),
                        TensorScheme.activations(4).withRounding(rounding)));
    }

    private static CodeRounding seeded(long seed) {
        return new CodeRounding.Stochastic(seed);
    }

    private static PrecisionSchedule schedule() {
        return PrecisionSchedule.builder()
                .untilIteration(2, Precision.FP16)
                .untilIteration(5, Precision.INT8)
                .then(Precision.INT4)
                .build();
    }

    /** Convolution, normalization and dropout, in stages. */
    private static MultiLayerNetwork staged(CodeRounding rounding) {
        MultiLayerNetwork network =
                Preparation.prepare(
                                StagedNetworks.floats(new Adam(0.01)),
                                spec(rounding),
                                StagedNetworks.batches())
                        .network();
        Nd4j.getRandom().setSeed(SEED);
        schedule().attachTo(network);
        return network;
    }

    private static String trained(CodeRounding rounding) {
        MultiLayerNetwork network = staged(rounding);
        network.fit(StagedNetworks.batches(), EPOCHS);
        return Fingerprint.of(network);
    }

    @Test
    void twoHalvesAreOneTrainingBitForBit(@TempDir Path folder) throws IOException {
        MultiLayerNetwork whole = staged(seeded(1));
        whole.fit(StagedNetworks.batches(), 2 * EPOCHS);
        MultiLayerNetwork half = staged(seeded(1));
        half.fit(StagedNetworks.batches(), EPOCHS);
        File file = folder.resolve("half.zip").toFile();
        ExactResume.save(half, file);
        MultiLayerNetwork resumed = ExactResume.restoreMultiLayerNetwork(file);
        schedule().attachTo(resumed);
        resumed.fit(StagedNetworks.batches(), EPOCHS);
        assertEquals(Fingerprint.of(whole), Fingerprint.of(resumed));
    }

    @Test
    void oneSeedIsOneTrainingAndAnotherSeedAnother() {
        String one = trained(seeded(1));
        assertEquals(one, trained(seeded(1)));
        assertNotEquals(one, trained(seeded(2)));
        assertNotEquals(one, trained(CodeRounding.NEAREST));
    }

    private static MultiLayerNetwork dense(CodeRounding rounding, double rate) {
        return dense(spec(rounding), rate);
    }

    private static MultiLayerNetwork dense(QuantSpec spec, double rate) {
        MultiLayerNetwork network =
                Networks.of(
                        rate == 0 ? new Sgd(0) : new Nesterovs(rate, 0.9),
                        InputType.feedForward(6),
                        new DenseLayer.Builder()
                                .name("first")
                                .nOut(8)
                                .activation(Activation.RELU)
                                .build(),
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .name("last")
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        return Preparation.prepare(network, spec, Networks.batches(Networks.data(24, 6))).network();
    }

    /** {@return the loss of an iteration that changes nothing} */
    private static double loss(MultiLayerNetwork network) {
        network.fit(Networks.data(24, 6));
        return network.score();
    }

    @Test
    void weightsAndActivationsDrawEachForThemselves() {
        double nearest = loss(dense(spec(CodeRounding.NEAREST), 0));
        LayerScheme drawn = spec(seeded(1)).otherwise();
        LayerScheme plain = spec(CodeRounding.NEAREST).otherwise();
        LayerScheme weights = new LayerScheme(drawn.weights(), plain.activations());
        LayerScheme activations = new LayerScheme(plain.weights(), drawn.activations());
        assertNotEquals(nearest, loss(dense(QuantSpec.of(weights), 0)));
        assertNotEquals(nearest, loss(dense(QuantSpec.of(activations), 0)));
    }

    @Test
    void eachIterationDrawsAnew() {
        MultiLayerNetwork drawing = dense(seeded(1), 0);
        assertNotEquals(loss(drawing), loss(drawing));
        MultiLayerNetwork nearest = dense(CodeRounding.NEAREST, 0);
        assertEquals(loss(nearest), loss(nearest));
    }

    @Test
    void inferenceRoundsToNearest() {
        DataSet data = Networks.data(24, 6);
        MultiLayerNetwork drawing = dense(seeded(1), 0.05);
        for (int i = 0; i < EPOCHS; i++) {
            drawing.fit(data);
        }
        MultiLayerNetwork nearest = dense(CodeRounding.NEAREST, 0.05);
        nearest.setParams(drawing.params());
        assertEquals(nearest.output(data.getFeatures()), drawing.output(data.getFeatures()));
        assertEquals(nearest.score(data), drawing.score(data));
        assertEquals(nearest.scoreExamples(data, true), drawing.scoreExamples(data, true));
    }

    @Test
    void calibrationDoesNotDraw() {
        assertEquals(dense(CodeRounding.NEAREST, 0.05).params(), dense(seeded(1), 0.05).params());
    }
}
