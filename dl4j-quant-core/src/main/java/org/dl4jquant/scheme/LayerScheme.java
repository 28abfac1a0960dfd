// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.annotation.JsonIgnore;

/**
 * How one layer is to be quantized.
 *
 * @param weights the scheme of each of its weights; null leaves them in float
 * @param activations the scheme of the tensors that it reads, whose width goes with that of the
 *     weights they are multiplied with, and of its own result, but for the width: that is the
 *     widest of its readers with weights, or 8 bits if only sums, pools or tables read it; null
 *     leaves the result in float
 */
public record LayerScheme(@Nullable TensorScheme weights, @Nullable TensorScheme activations) {

    /** Everything stays in float. */
    public static final LayerScheme FLOAT = new LayerScheme(null, null);

    /** 8-bit weights per channel, 8-bit activations per tensor. */
    public static final LayerScheme INT8 = ofBits(8, 8);

    /** 4-bit weights per channel, 4-bit activations per tensor. */
    public static final LayerScheme INT4 = ofBits(4, 4);

    /**
     * 16-bit weights per channel, and 16-bit activations where the layer reads them: for layers
     * that lose accuracy by rounding, in a network that becomes integers. Two to four products of
     * bytes take the place of one.
     */
    public static final LayerScheme INT16 = ofBits(16, 16);

    /**
     * 8-bit weights per channel, 8-bit activations whose scales are found at run time, per row
     * (dynamic quantization): for dense layers, which then need no calibration data.
     */
    public static final LayerScheme INT8_DYNAMIC =
            new LayerScheme(TensorScheme.INT8_WEIGHTS, TensorScheme.dynamic());

    /** Weights and activations rounded to half precision. */
    public static final LayerScheme FP16 =
            new LayerScheme(
                    TensorScheme.INT8_WEIGHTS
                            .withFormat(new Fp16Format())
                            .withEstimator(Estimator.STE),
                    TensorScheme.INT8_ACTIVATIONS
                            .withFormat(new Fp16Format())
                            .withEstimator(Estimator.STE));

    private static final String HALF = "fp16";

    /** Checks that the activations' scheme is one that an engine can run. */
    public LayerScheme {
        Require.argument(
                activations == null
                        || activations.granularity() == Granularity.PER_TENSOR
                        || activations.runtimeScale() != null,
                "activations have one scale per tensor in the integer contract, not %s; use"
                        + " Granularity.PER_TENSOR",
                activations == null ? "" : activations.granularity());
        Require.argument(
                activations == null
                        || activations.runtimeScale() == null
                        || weights == null
                        || weights.format().bitsPerNumber() <= CodeRange.MAX_BITS,
                "scales that are found at run time multiply weights of at most 8 bits; use"
                        + " TensorScheme.INT8_WEIGHTS");
        Require.argument(
                weights == null || weights.runtimeScale() == null,
                "the scales of weights are not found at run time; use TensorScheme.INT8_WEIGHTS");
        Require.argument(
                weights == null || weights.symmetry() == Symmetry.SYMMETRIC,
                "weights have zero point 0 in the integer contract; use Symmetry.SYMMETRIC");
        Require.argument(
                weights == null || !(weights.estimator() instanceof Estimator.Pact),
                "PACT clips activations; give weights another estimator, such as Estimator.LSQ");
    }

    /**
     * {@return the usual scheme of two widths}
     *
     * @param weightBits the weights' width, 2 to 8, or 16
     * @param activationBits the activations' width, 2 to 8, or 16
     */
    public static LayerScheme ofBits(int weightBits, int activationBits) {
        return new LayerScheme(
                TensorScheme.weights(weightBits), TensorScheme.activations(activationBits));
    }

    /** {@return whether the scales of what the layer reads are found at run time} */
    public boolean findsScales() {
        return activations != null && activations.runtimeScale() != null;
    }

    /** {@return whether nothing is quantized} */
    @JsonIgnore
    public boolean isFloat() {
        return weights == null && activations == null;
    }

    /**
     * {@return the widths, such as {@code w4 a8}; {@code -} is in float, as is {@code float}, and
     * {@code fp16} in half precision, as in {@code w4 afp16}}
     */
    public String widths() {
        if (isFloat()) {
            return "float";
        }
        return isHalf(weights) && isHalf(activations)
                ? HALF
                : "w" + width(weights) + " a" + width(activations);
    }

    private static boolean isHalf(@Nullable TensorScheme scheme) {
        return scheme != null && scheme.format() instanceof Fp16Format;
    }

    private static String width(@Nullable TensorScheme scheme) {
        if (scheme == null) {
            return "-";
        }
        return isHalf(scheme) ? HALF : String.valueOf(scheme.format().bitsPerNumber());
    }
}
