// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationHardSigmoid;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;

/** The trained network, the reference engine and ONNX Runtime compute the same codes. */
final class LoweringTest {

    private static final int STEPS = 6;
    private static final int EXAMPLES = 24;

    static Stream<Arguments> specs() {
        LayerScheme asymmetric =
                new LayerScheme(
                        TensorScheme.INT8_WEIGHTS,
                        TensorScheme.INT8_ACTIVATIONS.withSymmetry(Symmetry.ASYMMETRIC));
        return Stream.of(
                Arguments.of("INT8", QuantSpec.of(LayerScheme.INT8)),
                Arguments.of(
                        "INT4", QuantSpec.of(LayerScheme.INT4).withFirstAndLast(LayerScheme.INT8)),
                Arguments.of("asymmetric", QuantSpec.of(asymmetric)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("specs")
    void aLeNetComputesTheSameCodesOnEveryEngine(String name, QuantSpec spec) {
        requireEqual(TestNetworks.leNet(), spec, 1);
    }

    static Stream<IActivation> activations() {
        return Stream.of(
                new ActivationReLU6(),
                new ActivationLReLU(0.1),
                new ActivationSigmoid(),
                new ActivationTanH(),
                new ActivationGELU(),
                new ActivationSwish(),
                new ActivationHardSigmoid(),
                new ActivationELU());
    }

    @ParameterizedTest
    @MethodSource("activations")
    void everyActivationComputesTheSameCodesOnEveryEngine(IActivation activation) {
        requireEqual(TestNetworks.plain(activation), QuantSpec.of(LayerScheme.INT8), 1);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("specs")
    void aResNetComputesTheSameCodesOnEveryEngine(String name, QuantSpec spec) {
        requireEqual(TestNetworks.resNet(), spec);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("specs")
    void aMobileNetComputesTheSameCodesOnEveryEngine(String name, QuantSpec spec) {
        requireEqual(TestNetworks.mobileNet(), spec);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("specs")
    void aResidualBlockOnTheInputComputesTheSameCodesOnEveryEngine(String name, QuantSpec spec) {
        requireEqual(TestNetworks.residualOnInput(), spec);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("specs")
    void aClampAndAPoolOnTheInputComputeTheSameCodesOnEveryEngine(String name, QuantSpec spec) {
        requireEqual(TestNetworks.clampThenPool(), spec, 1);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("specs")
    void aPoolOnTheInputComputesTheSameCodesOnEveryEngine(String name, QuantSpec spec) {
        requireEqual(TestNetworks.poolFirst(), spec, 1);
    }

    private static void requireEqual(MultiLayerNetwork trained, QuantSpec spec, int channels) {
        DataSet data = TestNetworks.images(EXAMPLES, channels, 3);
        trained.fit(data);
        MultiLayerNetwork network =
                Quantization.prepare(trained, spec, new SingletonDataSetIterator(data));
        for (int step = 0; step < STEPS; step++) {
            network.fit(data);
        }
        IntGraph graph = Quantization.lower(network);
        requireEqual(graph, data.getFeatures());
        try (Engine reference = Engine.open("reference", graph)) {
            requireEqual(SimulatorCheck.between(network, reference).over(data.getFeatures()));
        }
    }

    private static void requireEqual(ComputationGraph trained, QuantSpec spec) {
        DataSet data = TestNetworks.images(EXAMPLES, 3, 4);
        trained.fit(data);
        ComputationGraph network =
                Quantization.prepare(trained, spec, new SingletonDataSetIterator(data));
        for (int step = 0; step < STEPS; step++) {
            network.fit(data);
        }
        IntGraph graph = Quantization.lower(network);
        requireEqual(graph, data.getFeatures());
        try (Engine reference = Engine.open("reference", graph)) {
            requireEqual(SimulatorCheck.between(network, reference).over(data.getFeatures()));
        }
    }

    private static void requireEqual(IntGraph graph, INDArray features) {
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnxRuntime)
                    .over(EngineInputs.of(graph, features))
                    .requireEqual();
        }
    }

    private static void requireEqual(SimulatorReport report) {
        assertTrue(report.codes() > EXAMPLES, report::toString);
        assertEquals(0, report.differingCodes(), report::toString);
        assertEquals(0, report.top1Changed(), report::toString);
    }

    @Test
    void refusesANetworkThatWasNeverPrepared() {
        MultiLayerNetwork floats = TestNetworks.leNet();
        assertEquals(
                "the network has no quantizers: it is a float network, or was prepared with all of"
                        + " it left in float; lower what Quantization.prepare returns for a spec of"
                        + " integers",
                assertThrows(LoweringException.class, () -> Quantization.lower(floats))
                        .getMessage());
    }
}
