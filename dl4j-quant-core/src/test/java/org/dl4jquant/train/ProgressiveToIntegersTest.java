// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Objects;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.Precision;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Half precision, then 8 bits, then 4, by plain {@code fit}: what comes out runs as integers. */
class ProgressiveToIntegersTest {

    private static PrecisionSchedule progressive() {
        return PrecisionSchedule.builder()
                .untilEpoch(2, Precision.FP16)
                .untilEpoch(4, Precision.INT8)
                .then(Precision.INT4)
                .refitWeights()
                .build();
    }

    private static void requireEqual(IntGraph graph, SimulatorCheck simulator, Engine reference) {
        INDArray x = StagedNetworks.data().getFeatures();
        try (Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnxRuntime)
                    .over(EngineInputs.of(graph, x))
                    .requireEqual();
        }
        SimulatorReport report = simulator.over(x);
        assertTrue(report.codes() > 0);
        assertEquals(0, report.differingCodes(), report.toString());
    }

    @Test
    void aChainOfLayersLowersExactlyInEachIntegerStage() {
        MultiLayerNetwork network = StagedNetworks.chain();
        progressive().attachTo(network);
        network.fit(StagedNetworks.batches(), 2);
        double start = network.score(StagedNetworks.data());
        for (int stage = 1; stage <= 2; stage++) {
            network.fit(StagedNetworks.batches(), stage);
            IntGraph graph = Quantization.lower(network);
            assertEquals(stage == 1 ? 127 : 7, largestWeightCode(graph));
            try (Engine reference = Engine.open("reference", graph)) {
                requireEqual(graph, SimulatorCheck.between(network, reference), reference);
            }
        }
        network.fit(StagedNetworks.batches(), 6);
        assertTrue(network.score(StagedNetworks.data()) < start, "it learns at 4 bits");
    }

    private static int largestWeightCode(IntGraph graph) {
        return graph.nodes().stream()
                .map(ProgressiveToIntegersTest::weights)
                .filter(Objects::nonNull)
                .mapToInt(weights -> weights.range().max())
                .max()
                .orElseThrow();
    }

    private static @Nullable WeightTensor weights(IntNode node) {
        if (node instanceof Convolution convolution) {
            return convolution.weights();
        }
        return node instanceof Dense dense ? dense.weights() : null;
    }

    @Test
    void aResidualGraphLowersExactlyInEachIntegerStage() {
        ComputationGraph network = StagedNetworks.residual();
        progressive().attachTo(network);
        network.fit(StagedNetworks.batches(), 2);
        for (int stage = 1; stage <= 2; stage++) {
            network.fit(StagedNetworks.batches(), stage);
            IntGraph graph = Quantization.lower(network);
            try (Engine reference = Engine.open("reference", graph)) {
                requireEqual(graph, SimulatorCheck.between(network, reference), reference);
            }
        }
    }
}
