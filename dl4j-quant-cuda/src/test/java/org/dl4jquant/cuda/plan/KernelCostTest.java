// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.TreeMap;
import org.dl4jquant.cuda.Networks;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Chip;
import org.dl4jquant.cuda.kernel.KernelCost;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.Launch;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Test;

class KernelCostTest {

    /** As counted for ResNet-50 with the stride in the 3 x 3 convolutions. */
    private static final long RESNET_50_PRODUCTS = 4_089_184_256L;

    /** What the published architecture has in weights of convolutions and of the last layer. */
    private static final long RESNET_50_WEIGHTS = 25_502_912L;

    private static List<KernelCost> costs(IntGraph graph) {
        return Planner.run(graph, Architecture.SM_90A, 64).steps().stream()
                .map(step -> KernelCost.of(step.kernel()))
                .toList();
    }

    @Test
    void aResNet50HasThePublishedNumberOfProducts() {
        List<KernelCost> costs = costs(Networks.resNet50(224));
        assertEquals(
                2 * RESNET_50_PRODUCTS, costs.stream().mapToLong(KernelCost::operations).sum());
        long weights = costs.stream().mapToLong(KernelCost::constantBytes).sum();
        // Biases and multipliers come on top, and the fourth channel of the picture.
        assertTrue(weights > RESNET_50_WEIGHTS && weights < 1.01 * RESNET_50_WEIGHTS, "" + weights);
    }

    @Test
    void theConvolutionsOfAResNet50MoveWhatWasCountedByHand() {
        // 10.7 MB are read, 11.1 MB written, and 5.5 MB read for the sums; but of the first
        // convolution's 0.8 MB only the pooled quarter is written.
        long moved =
                costs(Networks.resNet50(224)).stream()
                        .filter(cost -> cost.operations() > 0)
                        .mapToLong(KernelCost::bytes)
                        .sum();
        assertEquals(26.7, moved / 1e6, 0.1);
    }

    @Test
    void smallConvolutionsAreBoundByMemoryAndLargeProductsByCompute() {
        List<Step> steps = Planner.run(Networks.resNet50(224), Architecture.SM_90A, 256).steps();
        assertFalse(cost(steps, "s0b0+").boundByCompute(Chip.H200, 256));
        assertTrue(cost(steps, "s3b12").boundByCompute(Chip.H200, 256));
        double floor =
                steps.stream()
                        .mapToDouble(
                                step -> KernelCost.of(step.kernel()).leastMicros(Chip.H200, 256))
                        .sum();
        // 4.8 TB/s for about 28 MB a picture are 170,000 pictures a second.
        double pictures = 256 / floor * 1e6;
        assertTrue(pictures > 100_000 && pictures < 170_000, "" + pictures);
    }

    @Test
    void noKernelIsBelievedToBeFasterThanItsBound() {
        IntGraph graph = Networks.resNet50(224);
        for (Chip chip : List.of(Chip.T4, Chip.H200)) {
            for (int examples : new int[] {1, 256}) {
                for (Step step : Planner.run(graph, chip.architecture(), examples).steps()) {
                    KernelCost cost = KernelCost.of(step.kernel());
                    assertTrue(
                            cost.believedMicros(chip, step.kernel(), examples)
                                    > cost.leastMicros(chip, examples),
                            chip + ", " + examples + ": " + step);
                }
            }
        }
    }

    private static KernelCost cost(List<Step> steps, String result) {
        return steps.stream()
                .filter(step -> step.result().equals(result))
                .map(step -> KernelCost.of(step.kernel()))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void everyKernelHasACost() {
        for (long seed = 0; seed < 40; seed++) {
            IntGraph graph = RandomGraph.without(GpuSupport.refusedKinds(), seed).graph();
            costs(graph).forEach(cost -> assertTrue(cost.bytes() > 0, cost.toString()));
        }
        KernelSpec other = new KernelSpec("x.cu", new TreeMap<>(), new Launch(1, 1, 1, 32, 0), 1);
        assertEquals(
                "nothing is known of the cost of x.cu",
                assertThrows(IllegalArgumentException.class, () -> KernelCost.of(other))
                        .getMessage());
    }

    @Test
    void chipsAreFoundByName() {
        assertEquals(Chip.H200, Chip.named("h200"));
        assertEquals(
                "'b200' is not one of [T4, A100, A10, L4, H100, H200]",
                assertThrows(IllegalArgumentException.class, () -> Chip.named("b200"))
                        .getMessage());
    }
}
