// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.search.LayerSensitivity;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class RecoveryRecipeTest {

    /* Sums of float32 numbers in float64, in another order. */
    private static final double FLOAT_ERROR = 1e-5;

    private static DataSet data() {
        return Networks.data(240, 6);
    }

    private static DataSetIterator batches() {
        return new ListDataSetIterator<>(data().asList(), 40);
    }

    private static DenseLayer dense(String name) {
        return new DenseLayer.Builder().name(name).nOut(8).activation(Activation.RELU).build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("out")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork trained() {
        MultiLayerNetwork network =
                Networks.of(
                        new Adam(0.01),
                        InputType.feedForward(6),
                        dense("first"),
                        dense("second"),
                        output());
        network.fit(batches(), 12);
        return network;
    }

    private static ComputationGraph trainedGraph() {
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .updater(new Adam(0.01))
                                .graphBuilder()
                                .addInputs("in")
                                .addLayer("first", dense("first"), "in")
                                .addLayer("out", output(), "first")
                                .setOutputs("out")
                                .setInputTypes(InputType.feedForward(6))
                                .build());
        graph.init();
        graph.fit(batches(), 12);
        return graph;
    }

    // ---- training on a share
    // ----------------------------------------------------------------------

    @Test
    void winsBackAccuracyOnASmallShare() {
        MultiLayerNetwork network =
                Preparation.prepare(trained(), QuantSpec.of(LayerScheme.ofBits(2, 2)), batches())
                        .network();
        double before = network.evaluate(batches()).accuracy();
        RecoveryRecipe.Recovery recovery =
                RecoveryRecipe.withLearningRate(0.005)
                        .withShare(0.1)
                        .withEpochs(20)
                        .withBatch(8)
                        .withSeed(3)
                        .run(network, batches(), batches());
        assertEquals(24, recovery.examples());
        assertEquals(before, recovery.before());
        assertEquals(network.evaluate(batches()).accuracy(), recovery.after());
        assertTrue(recovery.after() > recovery.before(), recovery.toString());
        assertEquals(20 * 24 / 8, network.getIterationCount());
        assertEquals(
                0.005,
                network.getLayer(0).conf().getLayer().getUpdaterByParam("W").getLearningRate(0, 0));
    }

    @Test
    void trainsAGraphWithOnePerCentForFiveEpochsAlwaysAlike() {
        ComputationGraph floats = trainedGraph();
        float[][] params = new float[2][];
        for (int i = 0; i < 2; i++) {
            ComputationGraph network =
                    Preparation.prepare(floats, QuantSpec.of(LayerScheme.INT4), batches())
                            .network();
            RecoveryRecipe.Recovery recovery =
                    RecoveryRecipe.withLearningRate(0.001).run(network, batches(), batches());
            assertEquals(3, recovery.examples());
            assertEquals(5, network.getEpochCount());
            params[i] = RowMajor.floats(network.params());
        }
        for (int i = 0; i < params[0].length; i++) {
            assertEquals(params[0][i], params[1][i]);
        }
    }

    @Test
    void saysWhatItBrought() {
        assertEquals(
                "accuracy 61.25 % before, 90.00 % after training on 12 examples",
                new RecoveryRecipe.Recovery(0.6125, 0.9, 12).toString());
    }

    private static void assertRefused(String message, Runnable action) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, action::run).getMessage());
    }

    @Test
    void refusesNumbersOutOfTheirRange() {
        RecoveryRecipe recipe = RecoveryRecipe.withLearningRate(1);
        assertRefused(
                "the learning rate is 0.0; it must be above 0 and finite",
                () -> RecoveryRecipe.withLearningRate(0));
        assertRefused(
                "a share of 1.5 of the training data; it must be above 0 and at most 1, such as"
                        + " 0.01 for 1 %",
                () -> recipe.withShare(1.5));
        assertRefused("0 epochs; there must be 1 at least", () -> recipe.withEpochs(0));
        assertRefused("batches of 0 examples; use 1 at least", () -> recipe.withBatch(0));
    }

    // ---- protecting layers
    // ------------------------------------------------------------------------

    private static double sqnr(INDArray expected, INDArray found) {
        double signal = 0;
        double noise = 0;
        for (int i = 0; i < expected.size(0); i++) {
            for (int j = 0; j < expected.size(1); j++) {
                double error = expected.getDouble(i, j) - found.getDouble(i, j);
                signal += Math.pow(expected.getDouble(i, j), 2);
                noise += error * error;
            }
        }
        return 10 * Math.log10(signal / noise);
    }

    @Test
    void measuresEachLayerAlone() {
        MultiLayerNetwork floats = trained();
        LayerSensitivity found =
                LayerSensitivity.of(floats, QuantSpec.of(LayerScheme.INT4), batches());
        assertEquals(
                List.of("first", "second", "out"),
                found.layers().stream().map(LayerSensitivity.Layer::name).toList());
        QuantSpec onlySecond =
                QuantSpec.of(LayerScheme.FLOAT)
                        .with(LayerSelector.named("second"), LayerScheme.INT4);
        INDArray features = data().getFeatures();
        double expected =
                sqnr(
                        floats.output(features),
                        Preparation.prepare(floats, onlySecond, batches())
                                .network()
                                .output(features));
        assertEquals(expected, found.layers().get(1).sqnr(), FLOAT_ERROR);
    }

    @Test
    void givesTheMostSensitiveLayersSixteenBits() {
        MultiLayerNetwork floats = trained();
        // Two bits where the rest has eight: no doubt which layer suffers.
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT8)
                        .with(LayerSelector.named("second"), LayerScheme.ofBits(2, 2));
        LayerSensitivity sensitivity = LayerSensitivity.of(floats, spec, batches());
        assertEquals("second", sensitivity.mostSensitiveFirst().get(0).name());
        QuantSpec gentle = sensitivity.protect(1);
        assertEquals(spec.with(LayerSelector.named("second"), LayerScheme.INT16), gentle);
        assertEquals(sensitivity.protect(List.of("second")), gentle);
        assertEquals(spec, sensitivity.protect(0));

        INDArray features = data().getFeatures();
        INDArray expected = floats.output(features);
        double before =
                sqnr(
                        expected,
                        Preparation.prepare(floats, spec, batches()).network().output(features));
        double after =
                sqnr(
                        expected,
                        Preparation.prepare(floats, gentle, batches()).network().output(features));
        assertTrue(after > before + 10, before + " dB became " + after + " dB");
    }

    @Test
    void aNetworkWithProtectedLayersBecomesIntegersAndOneInHalfPrecisionIsRefusedWithTheRemedy() {
        MultiLayerNetwork floats = trained();
        LayerSensitivity sensitivity =
                LayerSensitivity.of(floats, QuantSpec.of(LayerScheme.INT4), batches());
        for (int count = 1; count <= sensitivity.layers().size(); count++) {
            MultiLayerNetwork half =
                    Preparation.prepare(
                                    floats, sensitivity.protect(count, LayerScheme.FP16), batches())
                            .network();
            String message =
                    assertThrows(LoweringException.class, () -> Quantization.lower(half))
                            .getMessage();
            assertTrue(
                    message.contains("half precision") && message.contains("LayerScheme.INT16"),
                    message);
            MultiLayerNetwork bits =
                    Preparation.prepare(floats, sensitivity.protect(count), batches()).network();
            IntGraph graph = Quantization.lower(bits);
            try (Engine engine = Engine.open("onnxruntime", graph)) {
                assertEquals(
                        0,
                        SimulatorCheck.between(bits, engine)
                                .over(data().getFeatures())
                                .differingCodes());
            }
        }
    }

    @Test
    void measuresGraphsToo() {
        LayerSensitivity found =
                LayerSensitivity.of(trainedGraph(), QuantSpec.of(LayerScheme.INT4), batches());
        assertEquals(2, found.layers().size());
        assertTrue(
                found.layers().stream().allMatch(one -> one.sqnr() > 0 && one.sqnr() < 60),
                found.layers().toString());
    }

    @Test
    void refusesToProtectWhatIsNotThere() {
        LayerSensitivity found =
                LayerSensitivity.of(trainedGraph(), QuantSpec.of(LayerScheme.INT8), batches());
        assertRefused(
                "3 layers to protect; the spec quantizes 2, so use 0 to 2", () -> found.protect(3));
        assertRefused(
                "layer 'conv9' cannot be protected: the spec quantizes [first, out]",
                () -> found.protect(List.of("conv9")));
    }
}
