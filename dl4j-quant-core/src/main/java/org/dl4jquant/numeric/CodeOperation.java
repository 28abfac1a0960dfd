// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * The code that one place of several tensors of codes gives: their product, sum, difference,
 * maximum, minimum or mean.
 *
 * <p>A product of two is what ONNX Runtime's QLinearMul computes, in uint8 containers (128 more if
 * the range is signed), with the zero point inside the rounding:
 *
 * <pre>clamp(rint((float) ((left - zLeft) * (right - zRight)) * ((sLeft * sRight) / s) + z))</pre>
 *
 * All else is computed on float32 values, one rounding for each operation, from left to right, and
 * then quantized, as ONNX Runtime does where it has no kernel for codes:
 *
 * <pre>clamp(rint(op((q1 - z1) * s1, (q2 - z2) * s2, ...) / s) + z)</pre>
 */
public final class CodeOperation {

    /** Above this ratio, a product could leave int32, where it would wrap around. */
    public static final float MAX_RATIO = 0x1p14f;

    private static final int INT8_OFFSET = 128;
    private static final int MAX_DISTANCE = 255;

    /** The operations. */
    public enum Kind {
        /** The product of two or more. */
        PRODUCT,
        /** The sum of two or more. */
        SUM,
        /** The first less the second. */
        DIFFERENCE,
        /** The largest of two or more. */
        MAXIMUM,
        /** The smallest of two or more. */
        MINIMUM,
        /** The mean of two or more. */
        MEAN;

        /**
         * {@return the operation on one more value}
         *
         * @param left the result for the values so far
         * @param right the next one
         */
        float apply(float left, float right) {
            return switch (this) {
                case PRODUCT -> left * right;
                case SUM, MEAN -> left + right;
                case DIFFERENCE -> left - right;
                case MAXIMUM -> Math.max(left, right);
                case MINIMUM -> Math.min(left, right);
            };
        }

        /**
         * {@return whether the operation takes a number of tensors}
         *
         * @param tensors how many
         */
        public boolean takes(int tensors) {
            return this == DIFFERENCE ? tensors == 2 : tensors >= 2;
        }
    }

    private final Kind kind;
    private final List<QuantParams> inputs;
    private final QuantParams result;
    private final CodeRange bounds;
    private final float ratio;
    private final int offset;

    private CodeOperation(
            Kind kind, List<QuantParams> inputs, QuantParams result, CodeRange bounds) {
        this.kind = kind;
        this.inputs = List.copyOf(inputs);
        this.result = result;
        this.bounds = bounds;
        this.ratio = isFused(kind, inputs.size()) ? ratio(inputs, result) : 0;
        this.offset = result.range().signed() ? INT8_OFFSET : 0;
    }

    /**
     * Returns the operation on tensors.
     *
     * @param kind the operation
     * @param inputs how each tensor's codes stand for values
     * @param result how the result's codes stand for values
     * @param bounds the clamp of the result's codes
     * @return the operation
     * @throws IllegalArgumentException if the number of tensors or their scales do not fit
     */
    public static CodeOperation of(
            Kind kind, List<QuantParams> inputs, QuantParams result, CodeRange bounds) {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(bounds, "bounds");
        Require.argument(
                kind.takes(inputs.size()),
                "%s of %d tensors; %s",
                kind,
                inputs.size(),
                kind == Kind.DIFFERENCE ? "it takes two" : "it takes two or more");
        if (isFused(kind, inputs.size())) {
            Require.argument(
                    canMultiply(inputs.get(0), inputs.get(1), result),
                    "the scales %s and %s make products of %s times the result's scale %s; at most"
                            + " %s times can be computed, give the result a larger scale",
                    inputs.get(0).scale(),
                    inputs.get(1).scale(),
                    ratio(inputs, result),
                    result.scale(),
                    MAX_RATIO);
        } else {
            Require.argument(
                    largest(kind, inputs) <= Float.MAX_VALUE,
                    "the %s of scales so large leaves float32",
                    kind);
        }
        return new CodeOperation(kind, inputs, result, bounds);
    }

    /**
     * {@return whether {@link #of} accepts a product of two tensors}
     *
     * @param left how the left codes stand for values
     * @param right how the right codes stand for values
     * @param result how the result's codes stand for values
     */
    public static boolean canMultiply(QuantParams left, QuantParams right, QuantParams result) {
        return ratio(List.of(left, right), result) <= MAX_RATIO;
    }

    /**
     * {@return whether an operation is computed on codes at once, and not on float32 values}
     *
     * @param kind the operation
     * @param tensors how many tensors it takes
     */
    public static boolean isFused(Kind kind, int tensors) {
        return kind == Kind.PRODUCT && tensors == 2;
    }

    private static float ratio(List<QuantParams> inputs, QuantParams result) {
        return inputs.get(0).scale() * inputs.get(1).scale() / result.scale();
    }

    /* A bound of what is computed before it is quantized. */
    private static double largest(Kind kind, List<QuantParams> inputs) {
        double largest = kind == Kind.PRODUCT ? 1 : 0;
        for (QuantParams input : inputs) {
            double value = (double) MAX_DISTANCE * input.scale();
            largest = kind == Kind.PRODUCT ? largest * Math.max(value, 1) : largest + value;
        }
        return largest;
    }

    /**
     * {@return the code of the result}
     *
     * @param codes a code of each tensor, in their order
     */
    public int code(int... codes) {
        return isFused(kind, inputs.size()) ? product(codes[0], codes[1]) : ofValues(codes);
    }

    private int product(int left, int right) {
        int product = (left - inputs.get(0).zeroPoint()) * (right - inputs.get(1).zeroPoint());
        float scaled = product * ratio + (result.zeroPoint() + offset);
        return bounds.clamp((int) Math.rint(scaled) - offset);
    }

    private int ofValues(int... codes) {
        float value = inputs.get(0).dequantize(codes[0]);
        for (int i = 1; i < codes.length; i++) {
            value = kind.apply(value, inputs.get(i).dequantize(codes[i]));
        }
        return bounds.clamp(result.quantize(kind == Kind.MEAN ? value / codes.length : value));
    }

    /**
     * Multiplies two tensors that are given as the values of their codes, {@code (code - zeroPoint)
     * * scale} in float32, with exactly the arithmetic of {@link #code}. NaN gives NaN.
     *
     * @param left values of left codes; such a value divided by its scale lies so near to an
     *     integer that the code is found exactly
     * @param right values of right codes, as many
     * @param products takes the values of the products' codes, as many; may be one of the others
     * @throws IllegalArgumentException if the lengths differ, or this is no product of two tensors
     */
    public void multiplyValues(float[] left, float[] right, float[] products) {
        Require.argument(
                isFused(kind, inputs.size())
                        && left.length == right.length
                        && left.length == products.length,
                "%s of %d tensors of %d and %d values for %d results; it is a product of two, and"
                        + " the numbers are equal",
                kind,
                inputs.size(),
                left.length,
                right.length,
                products.length);
        float leftScale = inputs.get(0).scale();
        float rightScale = inputs.get(1).scale();
        float zero = result.zeroPoint() + offset;
        float lowest = bounds.min() + offset;
        float highest = bounds.max() + offset;
        float scale = result.scale();
        for (int i = 0; i < products.length; i++) {
            float product = rint(left[i] / leftScale) * rint(right[i] / rightScale);
            float code = Math.min(Math.max(product * ratio + zero, lowest), highest);
            products[i] = (rint(code) - zero) * scale;
        }
    }

    private static float rint(float number) {
        return (float) Math.rint(number);
    }

    /** {@return the scale of a product of two codes over that of the result; 0 if not fused} */
    public float ratio() {
        return ratio;
    }
}
