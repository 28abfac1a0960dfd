// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import org.dl4jquant.cuda.Networks;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whole networks, run on the CPU, against the reference engine. */
class NetworksTest {

    @Test
    void aLeNetIsExact() {
        requireEqual(Networks.leNet(8), Architecture.SM_75, 2);
    }

    @Test
    void aLeNetWithWeightsOfFourBitsIsExact() {
        IntGraph graph = Networks.leNet(4);
        requireEqual(graph, Architecture.SM_80, 2);
        assertTrue(
                Planner.run(graph, Architecture.SM_80, 2).kernels().stream()
                        .anyMatch(
                                kernel -> "1".equals(kernel.constants().get("QK_PACKED_WEIGHTS"))));
    }

    @Test
    void weightsOfFourBitsAreUnpackedWhereGroupsOfWarpsMultiply() {
        IntGraph graph = Networks.leNet(4);
        Plan small = Planner.run(graph, Architecture.SM_90A, 1);
        Plan large = Planner.run(graph, Architecture.SM_90A, 1024);
        requireEqual(graph, large, 2);
        assertTrue(large.kernels().stream().anyMatch(kernel -> kernel.file().equals("wgmma.cu")));
        // They are stored as they are in the small plan, and unpacked when the engine is read.
        long unpacked = large.expansions().stream().mapToLong(Plan.Expansion::bytes).sum();
        assertTrue(unpacked > 0.4 * large.constants().remaining(), "" + unpacked);
        long packed = large.constants().remaining() - unpacked;
        assertEquals((double) small.constants().remaining(), (double) packed, 4096);
    }

    @Test
    void aSmallResNetIsExact() {
        requireEqual(Networks.resNet18(40, 16, 10), Architecture.SM_80, 3);
    }

    @Test
    void aMobileNetIsExact() {
        requireEqual(Networks.mobileNet(64, 10), Architecture.SM_86, 1);
    }

    @Tag("thorough")
    @Test
    void aResNet50OfSmallPicturesIsExact() {
        requireEqual(Networks.resNet50(64), Architecture.SM_90, 1);
    }

    @Test
    void aResNet50HasALaunchForEachConvolution() {
        IntGraph graph = Networks.resNet50(64);
        // Each of the 16 sums is computed with a convolution, and so is the max pool; two layers
        // read the first pool. So a launch for each of 52 convolutions, the quantization, the
        // mean and the last layer.
        assertEquals(55, Planner.run(graph, Architecture.SM_90, 1).steps().size());
    }

    @Test
    void aResNet50ByGroupsOfWarpsIsExact() {
        IntGraph graph = Networks.resNet50(32);
        // Cut for a large batch, and run with a small one.
        Plan plan = Planner.run(graph, Architecture.SM_90A, 256);
        requireEqual(graph, plan, 1);
        assertTrue(plan.kernels().stream().anyMatch(kernel -> kernel.file().equals("wgmma.cu")));
    }

    @Test
    void sharesTheMemoryOfTensorsThatAreNotAliveTogether() {
        IntGraph graph = Networks.resNet50(224);
        long all =
                graph.nodes().stream()
                        .filter(node -> !(node instanceof Input))
                        .mapToLong(node -> graph.type(node.name()).shape().elements())
                        .sum();
        long arena = Planner.run(graph, Architecture.SM_90, 1).arenaBytes();
        // The first residual sum has three tensors of 56 x 56 x 256 alive at once.
        assertTrue(arena >= 2L * 56 * 56 * 256 && arena < all / 5, arena + " of " + all);
    }

    private static void requireEqual(IntGraph graph, Architecture architecture, int examples) {
        requireEqual(graph, Planner.run(graph, architecture, examples), examples);
    }

    private static void requireEqual(IntGraph graph, Plan plan, int examples) {
        Map<String, Batch.Floats> inputs = Networks.inputs(graph, examples);
        try (Engine reference = Engine.open("reference", graph)) {
            Map<String, Batch> expected = reference.run(inputs);
            Map<String, Batch> found = EmulatedPlan.run(plan, inputs, 0);
            assertEquals(expected.keySet(), found.keySet());
            float[] values = ((Batch.Floats) expected.get("logits")).values();
            assertEquals(
                    -1,
                    Arrays.mismatch(values, ((Batch.Floats) found.get("logits")).values()),
                    "the first logit that differs");
            // A network of zeros would be equal, too.
            assertTrue(Arrays.hashCode(values) != Arrays.hashCode(new float[values.length]));
        }
    }
}
