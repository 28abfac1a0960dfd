// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * The matrix product of two tensors of codes, one for each index of the dimensions before the last
 * two: neither factor is a weight. {@code acc = sum (left - leftZero) * (right - rightZero)}, and
 * one multiplier for all of the result.
 *
 * @param name the node's name
 * @param left codes [..., rows, inner]
 * @param right codes [..., inner, columns]
 * @param output how the codes of the result [..., rows, columns] stand for values
 */
public record MatMul(String name, String left, String right, Output.Codes output)
        implements IntNode {
    /** Checks that the parts are there. */
    public MatMul {
        NodeChecks.requireName(name);
        Objects.requireNonNull(output, "output");
    }

    @Override
    public List<String> inputs() {
        return List.of(left, right);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType first = inputs.codes(this, left);
        TensorType second = inputs.codes(this, right);
        Shape shape = product(this, first, second);
        float multiplier = output.multiplier(first.codes().scale(), second.codes().scale());
        Require.argument(
                Float.isFinite(multiplier),
                "node '%s': the scales %s and %s give the multiplier %s, which is not finite; choose"
                        + " scales nearer to each other",
                name,
                first.codes().scale(),
                second.codes().scale(),
                multiplier);
        requireFits(this, first, second, Integer.MAX_VALUE);
        return new TensorType(shape, output.params());
    }

    /** {@return the shape of a product, for nodes that multiply two tensors of codes} */
    static Shape product(IntNode node, TensorType left, TensorType right) {
        Shape first = left.shape();
        Shape second = right.shape();
        int rank = first.rank();
        boolean fits =
                rank >= 2
                        && second.rank() == rank
                        && first.dimensions()
                                .subList(0, rank - 2)
                                .equals(second.dimensions().subList(0, rank - 2))
                        && first.size(rank - 1) == second.size(rank - 2);
        Require.argument(
                fits,
                "node '%s' multiplies '%s' of shape %s by '%s' of shape %s; they must be [...,"
                        + " rows, inner] and [..., inner, columns]",
                node.name(),
                node.inputs().get(0),
                first,
                node.inputs().get(1),
                second);
        List<Integer> dimensions = new ArrayList<>(first.dimensions());
        dimensions.set(rank - 1, second.size(rank - 1));
        return new Shape(dimensions);
    }

    /**
     * Requires sums of products that are at most a bound, of either sign, whatever the codes.
     *
     * @param node the node
     * @param left its left factor
     * @param right its right factor
     * @param bound the largest magnitude
     */
    static void requireFits(IntNode node, TensorType left, TensorType right, int bound) {
        int inner = left.shape().size(left.shape().rank() - 1);
        long largest = (long) inner * reach(left.codes()) * reach(right.codes());
        Require.argument(
                largest <= bound,
                "node '%s': its sums of %d products can reach %d, which is more than %d; use fewer"
                        + " bits or shorter vectors",
                node.name(),
                inner,
                largest,
                bound);
    }

    private static long reach(QuantParams codes) {
        return Math.max(
                (long) codes.range().max() - codes.zeroPoint(),
                (long) codes.zeroPoint() - codes.range().min());
    }

    @Override
    public String kind() {
        return "MatMul";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
