// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.dl4jquant.train.StagedNetworks.scale;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.learning.config.Nesterovs;

/** Stages with every kind of learned range: offsets that learn, clipping values with a penalty. */
class StagedEstimatorsTest {

    static Stream<Arguments> schemes() {
        TensorScheme activations = TensorScheme.activations(4);
        return Stream.of(
                Arguments.of("STE", activations.withEstimator(Estimator.STE)),
                Arguments.of("EWGS", activations.withEstimator(new Estimator.Ewgs(0.1))),
                Arguments.of("PACT", activations.withEstimator(new Estimator.Pact(0.1))),
                Arguments.of(
                        "LSQ+",
                        activations
                                .withSymmetry(Symmetry.ASYMMETRIC)
                                .withEstimator(Estimator.LSQ_PLUS)));
    }

    private static float[] range(MultiLayerNetwork network) {
        float[] scale = scale(network, "conv", TensorRole.OUTPUT.scaleKey());
        boolean offset =
                network.getLayer("conv").paramTable().containsKey(TensorRole.OUTPUT.zeroKey());
        return new float[] {
            scale[0], offset ? scale(network, "conv", TensorRole.OUTPUT.zeroKey())[0] : 0
        };
    }

    private static void requireExact(MultiLayerNetwork network) {
        IntGraph graph = Quantization.lower(network);
        try (Engine reference = Engine.open("reference", graph)) {
            assertEquals(
                    0,
                    SimulatorCheck.between(network, reference)
                            .over(StagedNetworks.data().getFeatures())
                            .differingCodes());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("schemes")
    void rangesRestInFloatLearnInIntegersAndFreeze(String name, TensorScheme activations) {
        MultiLayerNetwork network =
                Preparation.prepare(
                                StagedNetworks.floats(new Nesterovs(0.02, 0.9)),
                                QuantSpec.of(new LayerScheme(TensorScheme.weights(4), activations)),
                                StagedNetworks.batches())
                        .network();
        PrecisionSchedule.builder()
                .untilEpoch(1, Precision.FP16)
                .untilEpoch(2, Precision.INT8)
                .untilEpoch(3, Precision.INT4)
                .then(Precision.INT4)
                .withFrozenScales()
                .build()
                .attachTo(network);
        float[] prepared = range(network);
        network.fit(StagedNetworks.data());
        assertArrayEquals(prepared, range(network));

        network.fit(StagedNetworks.batches());
        network.fit(StagedNetworks.data());
        float[] at8 = range(network);
        assertFalse(Arrays.equals(prepared, at8));
        requireExact(network);

        network.fit(StagedNetworks.batches(), 2);
        float[] at4 = range(network);
        network.fit(StagedNetworks.batches());
        assertArrayEquals(at4, range(network));
        requireExact(network);
    }
}
