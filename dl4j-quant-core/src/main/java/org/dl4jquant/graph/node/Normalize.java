// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * Codes divided by a power of a sum of their squares, {@link Normalization}: along one dimension or
 * several, or in a window of channels.
 *
 * @param name the node's name
 * @param input codes
 * @param span the codes that are summed
 * @param formula the formula
 * @param output how the result's codes stand for values, and their clamp (ReLU)
 */
public record Normalize(
        String name, String input, Span span, Normalization formula, Output.Codes output)
        implements IntNode {

    /**
     * The codes that are summed for one code of the result.
     *
     * @param axis the first dimension along which they are summed
     * @param axes how many dimensions these are
     * @param reach how many indices to either side of the result's are summed; {@link #ALL} for the
     *     whole dimensions
     */
    public record Span(int axis, int axes, int reach) {

        /** Beyond every index. */
        public static final int ALL = Integer.MAX_VALUE;

        /** Checks the numbers. */
        public Span {
            Require.argument(
                    axis >= 0 && axes > 0 && reach >= 0 && (axes == 1 || reach == ALL),
                    "a normalization along %d dimensions from %d on, with %d indices to either"
                            + " side; windows have one dimension",
                    axes,
                    axis,
                    reach);
        }

        /**
         * {@return whole dimensions}
         *
         * @param axis the first one
         * @param axes how many
         */
        public static Span whole(int axis, int axes) {
            return new Span(axis, axes, ALL);
        }

        /** {@return the dimension after the last one} */
        public int end() {
            return axis + axes;
        }

        /**
         * {@return how many codes a row has}
         *
         * @param shape one example's dimensions
         */
        public int length(Shape shape) {
            return product(shape, axis, end());
        }

        /**
         * {@return how far one code of a row is from the next}
         *
         * @param shape one example's dimensions
         */
        public int inner(Shape shape) {
            return product(shape, end(), Require.given(shape, "shape").rank());
        }

        private static int product(Shape shape, int from, int to) {
            int product = 1;
            for (int axis = from; axis < to; axis++) {
                product *= shape.size(axis);
            }
            return product;
        }
    }

    /** Checks that the parts are there. */
    public Normalize {
        NodeChecks.requireName(name);
        Objects.requireNonNull(span, "span");
        Objects.requireNonNull(formula, "formula");
        Objects.requireNonNull(output, "output");
        Require.argument(
                !formula.centered() || span.reach() == Span.ALL,
                "node '%s' centers the codes of a window; only those of whole dimensions can be",
                name);
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.codes(this, input);
        Shape shape = type.shape();
        Require.argument(
                span.end() <= shape.rank(),
                "node '%s' normalizes along the dimensions %d to %d of '%s', which has the shape"
                        + " %s",
                name,
                span.axis(),
                span.end() - 1,
                input,
                shape);
        int length = span.length(shape);
        Require.argument(
                length <= Normalization.MAX_LENGTH,
                "node '%s' normalizes rows of %d codes; at most %d are allowed",
                name,
                length,
                Normalization.MAX_LENGTH);
        requireCount("gains", formula.gains().size(), length);
        requireCount("shifts", formula.shifts().size(), length);
        Require.argument(
                formula.divisor(0) > 0,
                "node '%s': its divisor of codes that are all 0 is 0 in float32; choose a larger"
                        + " offset",
                name);
        float largest = formula.divisor(largest(type.codes(), length));
        Require.argument(
                Float.isFinite(largest),
                "node '%s': its divisor can reach %s; choose a smaller factor",
                name,
                largest);
        return new TensorType(shape, output.params());
    }

    private void requireCount(String what, int count, int length) {
        Require.argument(
                count <= 1 || count == length,
                "node '%s' has %d %s for rows of %d codes; it must have none, one, or as many",
                name,
                count,
                what,
                length);
    }

    /* A bound: n times the sum of squares is no less than n^2 times the variance. */
    private long largest(QuantParams params, int length) {
        int zero = params.zeroPoint();
        long code = Math.max(params.range().max() - zero, zero - params.range().min());
        long squares = length * code * code;
        return formula.centered() ? length * squares : squares;
    }

    @Override
    public String kind() {
        return "Normalize";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
