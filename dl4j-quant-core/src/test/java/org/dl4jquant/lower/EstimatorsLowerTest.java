// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Objects;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.CodeRounding;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;

/**
 * Whatever estimator a network has been trained with, it learns by plain {@code fit}, and then the
 * network, the reference engine and ONNX Runtime compute the same codes.
 */
final class EstimatorsLowerTest {

    private static final int STEPS = 5;
    private static final int EXAMPLES = 24;
    private static final CodeRounding DRAWN = new CodeRounding.Stochastic(5);

    static Stream<Arguments> schemes() {
        Estimator ewgs = new Estimator.Ewgs(0.1);
        LayerScheme lsqPlus =
                new LayerScheme(
                        TensorScheme.weights(4),
                        TensorScheme.activations(4)
                                .withSymmetry(Symmetry.ASYMMETRIC)
                                .withEstimator(Estimator.LSQ_PLUS));
        return Stream.of(
                Arguments.of("EWGS", scheme(ewgs, ewgs)),
                Arguments.of(
                        "DoReFa", scheme(new Estimator.DoReFa(false), new Estimator.DoReFa(false))),
                Arguments.of(
                        "DoReFa, fitted",
                        scheme(new Estimator.DoReFa(true), new Estimator.DoReFa(true))),
                Arguments.of("PACT", scheme(Estimator.LSQ, new Estimator.Pact(1e-4))),
                Arguments.of("LSQ+", lsqPlus),
                Arguments.of("stochastic LSQ", drawn(Estimator.LSQ, Estimator.LSQ)),
                Arguments.of("stochastic STE", drawn(Estimator.STE, Estimator.STE)),
                Arguments.of("stochastic PACT", drawn(Estimator.LSQ, new Estimator.Pact(1e-4))),
                Arguments.of(
                        "stochastic DoReFa",
                        drawn(new Estimator.DoReFa(true), new Estimator.DoReFa(true))),
                Arguments.of(
                        "stochastic LSQ+",
                        new LayerScheme(
                                Objects.requireNonNull(lsqPlus.weights()).withRounding(DRAWN),
                                Objects.requireNonNull(lsqPlus.activations())
                                        .withRounding(DRAWN))));
    }

    private static LayerScheme drawn(Estimator weights, Estimator activations) {
        return new LayerScheme(
                TensorScheme.weights(4).withEstimator(weights).withRounding(DRAWN),
                TensorScheme.activations(4).withEstimator(activations).withRounding(DRAWN));
    }

    private static LayerScheme scheme(Estimator weights, Estimator activations) {
        return new LayerScheme(
                TensorScheme.weights(4).withEstimator(weights),
                TensorScheme.activations(4).withEstimator(activations));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("schemes")
    void trainsAndLowersWithoutADifferingCode(String name, LayerScheme scheme) {
        MultiLayerNetwork trained = TestNetworks.leNet();
        DataSet data = TestNetworks.images(EXAMPLES, 1, 3);
        trained.fit(data);
        QuantSpec spec = QuantSpec.fromJson(QuantSpec.of(scheme).toJson());
        MultiLayerNetwork network =
                Quantization.prepare(trained, spec, new SingletonDataSetIterator(data));
        double before = network.score(data);
        for (int step = 0; step < STEPS; step++) {
            network.fit(data);
        }
        double after = network.score(data);
        assertTrue(after < before, () -> "loss " + before + " became " + after);
        requireEqual(network, data);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 8})
    void groupsOfInputsTrainAndLowerWithoutADifferingCode(int bits) {
        requireEqualWithGroups(bits, 2);
    }

    @Tag("thorough")
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 8})
    void groupsOfAllWidthsTrainAndLowerWithoutADifferingCode(int bits) {
        requireEqualWithGroups(bits, 1);
        requireEqualWithGroups(bits, 2);
    }

    private static void requireEqualWithGroups(int bits, int size) {
        TensorScheme grouped =
                TensorScheme.weights(bits).withGranularity(new Granularity.PerGroup(size));
        LayerScheme scheme = new LayerScheme(grouped, TensorScheme.INT8_ACTIVATIONS);
        QuantSpec spec = QuantSpec.of(scheme).with(LayerSelector.first(), LayerScheme.INT8);
        DataSet data = TestNetworks.images(EXAMPLES, 1, 3);
        MultiLayerNetwork network =
                Quantization.prepare(
                        TestNetworks.leNet(), spec, new SingletonDataSetIterator(data));
        for (int step = 0; step < STEPS; step++) {
            network.fit(data);
        }
        requireEqual(network, data);
    }

    @Test
    void refusesToLowerGroupsOfDoReFasWeightsAndSaysWhatToDo() {
        TensorScheme grouped =
                TensorScheme.weights(4)
                        .withEstimator(new Estimator.DoReFa(true))
                        .withGranularity(new Granularity.PerGroup(2));
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT8)
                        .with(
                                LayerSelector.last(),
                                new LayerScheme(grouped, TensorScheme.INT8_ACTIVATIONS));
        DataSet data = TestNetworks.images(EXAMPLES, 1, 3);
        MultiLayerNetwork network =
                Quantization.prepare(
                        TestNetworks.leNet(), spec, new SingletonDataSetIterator(data));
        assertEquals(
                "layer 'layer10' cannot be lowered to integers: its weights have DoReFa's form and"
                        + " scales of groups of 2 inputs; prepare it with Granularity.PER_CHANNEL,"
                        + " or with Estimator.LSQ",
                assertThrows(LoweringException.class, () -> Quantization.lower(network))
                        .getMessage());
    }

    private static void requireEqual(MultiLayerNetwork network, DataSet data) {
        IntGraph graph = Quantization.lower(network);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnxRuntime)
                    .over(EngineInputs.of(graph, data.getFeatures()))
                    .requireEqual();
            SimulatorReport report =
                    SimulatorCheck.between(network, reference).over(data.getFeatures());
            assertTrue(report.codes() > EXAMPLES, report::toString);
            assertEquals(0, report.differingCodes(), report::toString);
            assertEquals(0, report.top1Changed(), report::toString);
        }
    }
}
