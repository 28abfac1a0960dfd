// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.List;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.CodeRange;

/**
 * Layers that read the same codes with the same window, as one product: the filters of each begin
 * at a multiple of 16, behind those of the one before.
 *
 * <p>Filters have multipliers of their own, so the outputs' scales may differ. Their zero points
 * and bounds may be of two kinds, the layers of the second kind behind those of the first.
 *
 * @param layers the products of the layers alone, with codes as outputs
 */
public record StackedLayers(List<GemmProblem> layers) {

    /** What of codes a kernel has as constants. */
    private record Kind(int zeroPoint, boolean signed, CodeRange bounds) {}

    /** Checks that they can be one product. */
    public StackedLayers {
        layers = List.copyOf(layers);
        Require.argument(layers.size() >= 2, "a stack of %d layers", layers.size());
        GemmProblem first = layers.get(0);
        for (GemmProblem layer : layers) {
            Require.argument(
                    layer.image().equals(first.image())
                            && layer.input().equals(first.input())
                            && layer.window().equals(first.window()),
                    "a stack of layers with different inputs or windows: %s and %s",
                    first,
                    layer);
            Require.argument(
                    layer.output() instanceof Output.Codes
                            && layer.residual() == null
                            && layer.pool() == null,
                    "a stack with a layer that has a residual, a pool, or values as output: %s",
                    layer);
        }
        int changes = changes(layers);
        Require.argument(changes <= 1, "a stack of layers with codes of %d kinds", changes + 1);
    }

    private static int changes(List<GemmProblem> layers) {
        return (int)
                IntStream.range(1, layers.size())
                        .filter(i -> !isOfAKind(layers.get(i - 1), layers.get(i)))
                        .count();
    }

    /**
     * {@return whether the codes of two products have the same zero point and bounds}
     *
     * @param left a product with codes as output
     * @param right another
     */
    public static boolean isOfAKind(GemmProblem left, GemmProblem right) {
        return kind(left).equals(kind(right));
    }

    private static Kind kind(GemmProblem layer) {
        Output.Codes codes = codes(layer);
        return new Kind(
                codes.params().zeroPoint(), codes.params().range().signed(), codes.bounds());
    }

    private static Output.Codes codes(GemmProblem layer) {
        return (Output.Codes) layer.output();
    }

    /**
     * {@return the first filter of a layer}
     *
     * @param layer its place in the stack
     */
    public int offset(int layer) {
        return layers.subList(0, layer).stream()
                .mapToInt(each -> ImageLayout.padded(each.filters()))
                .sum();
    }

    /** {@return the product, whose weights are neither packed nor known to give short sums} */
    public GemmProblem problem() {
        GemmProblem first = layers.get(0);
        int last = layers.size() - 1;
        int filters = offset(last) + layers.get(last).filters();
        int real = layers.stream().mapToInt(GemmProblem::filters).sum();
        return new GemmProblem(
                first.image(),
                first.input(),
                first.window(),
                filters,
                first.output(),
                ImageLayout.padded(filters),
                null,
                false,
                false,
                filters - real,
                IntStream.rangeClosed(1, last)
                        .filter(i -> !isOfAKind(first, layers.get(i)))
                        .mapToObj(i -> new GemmProblem.Second(offset(i), codes(layers.get(i))))
                        .findFirst()
                        .orElse(null),
                null);
    }
}
