// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import java.util.Arrays;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Rounds one tensor to the values that codes stand for, and passes gradients through the rounding.
 *
 * <p>Forward, with the arithmetic of {@link org.dl4jquant.numeric.Rounding}: {@code (clamp(rint(in
 * / scale) + zeroPoint) - zeroPoint) * scale}; NaN stays NaN. Backward, gradients pass unchanged
 * where the value lies strictly between the smallest and the largest code, and are 0 elsewhere
 * (clipped straight-through estimator); with {@link Estimator#LSQ} the scale has a gradient too,
 * and {@link Estimator.Ewgs} multiplies gradients by {@code f = 1 + delta' * sign(upstream) * (v -
 * rint(v))}, {@code delta'} being delta over the number of steps from the smallest to the largest
 * code.
 *
 * <p>Arrays may have any order, offset and strides, and are all FLOAT or all DOUBLE; with DOUBLE,
 * values and gradients are computed in float64. Scales are trusted to be finite and above 0: see
 * {@link Scales}. A quantizer has no state and may be used by several threads.
 *
 * @see <a href="https://arxiv.org/abs/1902.08153">Esser et al., Learned Step Size Quantization,
 *     2020</a>
 */
public final class FakeQuantizer {

    private final Grid grid;
    private final Estimator estimator;

    private FakeQuantizer(Grid grid, Estimator estimator) {
        this.grid = grid;
        this.estimator = estimator;
    }

    /**
     * Returns a quantizer.
     *
     * @param range the codes allowed
     * @param zeroPoint the code of the value 0, inside the range
     * @param estimator how gradients pass, and whether the scale has one
     * @param channels which elements share a scale; {@link Channels#NONE} for one scale per tensor
     * @return the quantizer
     * @throws IllegalArgumentException if the zero point is outside the range
     */
    public static FakeQuantizer of(
            CodeRange range, int zeroPoint, Estimator estimator, Channels channels) {
        Objects.requireNonNull(estimator, "estimator");
        return new FakeQuantizer(new Grid(range, zeroPoint, channels), estimator);
    }

    /**
     * Rounds values to values that have a code.
     *
     * @param in values, any shape
     * @param scale units per code, one for each channel in row-major order: shape [channels], [1,
     *     channels] or the like
     * @param out takes the rounded values, of the shape of {@code in}; may be {@code in} itself,
     *     but else must not share memory with it
     * @throws IllegalArgumentException if shapes or types do not fit, or an array is empty
     */
    public void forward(INDArray in, INDArray scale, INDArray out) {
        kernels(in, scale, out).round(grid, in, scale, out);
    }

    /**
     * Turns the gradient of the rounded values into those of the values and of the scale.
     *
     * <p>The gradient of a scale is {@code g * sum(upstream * d)} over the values that share it,
     * with {@code d = rint(v) - v} (with EWGS {@code rint(v) - f * v}) for {@code v = in / scale}
     * strictly inside the codes and the smallest or largest code (less the zero point) outside,
     * {@code g = 1 / sqrt(elements * Q_P)} or what the estimator's {@link
     * org.dl4jquant.scheme.GradientScale} says; Q_P is the number of codes above the zero point,
     * but at least half of all. The sum is taken in float64.
     *
     * @param in the values that were rounded
     * @param scale as in {@link #forward}
     * @param upstream loss per unit of each rounded value, of the shape of {@code in}
     * @param gradientIn takes loss per unit of each value; may be {@code upstream} or {@code in}
     *     itself, but else must not share memory with them
     * @param scaleGradient takes loss per unit of scale, of the length of {@code scale}; all 0 with
     *     {@link Estimator#STE}; null if nobody asks for it
     * @param elements N of the paper: for weights the elements that share one scale ({@link
     *     #elementsPerScale}), for activations the features of one example, above 0
     * @throws IllegalArgumentException if shapes or types do not fit, an array is empty, or {@code
     *     elements} is not above 0
     */
    public void backward(
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn,
            @Nullable INDArray scaleGradient,
            long elements) {
        backward(in, scale, upstream, gradientIn, scaleGradient, null, elements);
    }

    /**
     * Turns the gradient of the rounded values into those of the values, the scale and the zero
     * point.
     *
     * <p>The zero point's is {@code -g / scale * sum(upstream)} over the clipped values: LSQ+'s
     * gradient of the offset {@code beta = -scale * zeroPoint}, divided by {@code -scale}, so that
     * a step of gradient descent moves {@code beta} as if it were the parameter.
     *
     * @param in the values that were rounded
     * @param scale as in {@link #forward}
     * @param upstream loss per unit of each rounded value, of the shape of {@code in}
     * @param gradientIn as in {@link #backward(INDArray, INDArray, INDArray, INDArray, INDArray,
     *     long)}
     * @param scaleGradient takes loss per unit of scale; null if nobody asks for it
     * @param zeroPointGradient takes the gradient by the zero point, in codes, of the length of
     *     {@code scale}; all 0 if the estimator does not learn it; null if nobody asks for it
     * @param elements N of the paper
     * @throws IllegalArgumentException if shapes or types do not fit, an array is empty, or {@code
     *     elements} is not above 0
     * @see <a href="https://arxiv.org/abs/2004.09576">Bhalgat et al., LSQ+, 2020, eq. 5 and 6</a>
     */
    public void backward(
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn,
            @Nullable INDArray scaleGradient,
            @Nullable INDArray zeroPointGradient,
            long elements) {
        requireSameShape(in, upstream, "the upstream gradient");
        Require.argument(
                elements > 0, "%d elements share a scale; their number must be above 0", elements);
        Kernels kernels = kernels(in, scale, gradientIn);
        Kernels.of(in, upstream);
        if (zeroPointGradient != null) {
            requireLength(zeroPointGradient, scale.length(), "zero point gradients");
            RowMajor.copyInto(
                    zeroPointGradients(kernels, in, scale, upstream, elements), zeroPointGradient);
        }
        GradientRule rule = GradientRule.of(estimator, grid);
        if (scaleGradient == null || !estimator.learnsScale()) {
            kernels.mask(grid, rule, in, scale, upstream, gradientIn);
            if (scaleGradient != null) {
                requireLength(scaleGradient, scale.length(), "scale gradients");
                scaleGradient.assign(0);
            }
            return;
        }
        requireLength(scaleGradient, scale.length(), "scale gradients");
        double[] gradients = kernels.gradients(grid, rule, in, scale, upstream, gradientIn);
        double factor = gradientScale(elements);
        for (int i = 0; i < gradients.length; i++) {
            gradients[i] *= factor;
        }
        RowMajor.copyInto(gradients, scaleGradient);
    }

    private double[] zeroPointGradients(
            Kernels kernels, INDArray in, INDArray scale, INDArray upstream, long elements) {
        if (!estimator.learnsZeroPoint()) {
            return new double[(int) scale.length()];
        }
        double[] gradients = kernels.clippedSums(grid, in, scale, upstream);
        double[] scales = RowMajor.doubles(scale);
        for (int i = 0; i < gradients.length; i++) {
            gradients[i] *= -gradientScale(elements) / scales[i];
        }
        return gradients;
    }

    /**
     * {@return the factor of the scale's gradient: g of LSQ's paper, which keeps the updates of
     * scale and weights in balance, {@code 1 / sqrt(elements * Q_P)} unless the estimator says
     * otherwise; for PACT {@code 1 / Q_P^2}, with which a step of gradient descent moves {@code
     * alpha = scale * Q_P} as if it were the parameter}
     *
     * @param elements N of the paper
     */
    public double gradientScale(long elements) {
        if (estimator instanceof Estimator.Pact) {
            return 1.0 / ((double) grid.highest() * grid.highest());
        }
        return estimator.gradientScale().factor(elements, grid.positiveCodes());
    }

    /**
     * {@return how many elements of a tensor share one scale}
     *
     * @param tensor for example the weights of a layer
     * @throws IllegalArgumentException if the tensor does not have the channels' axes
     */
    public long elementsPerScale(INDArray tensor) {
        return tensor.length() / scales(tensor);
    }

    /**
     * {@return how many scales a tensor has}
     *
     * @param tensor for example the weights of a layer
     * @throws IllegalArgumentException if the tensor does not have the channels' axes
     */
    public int scales(INDArray tensor) {
        return grid.channels().count(tensor.shape());
    }

    /**
     * Rounds values to codes less the zero point, in float32 whatever the type of the arrays.
     *
     * @param in values, any shape
     * @param scale as in {@link #forward}
     * @param out takes the codes less the zero point, of the shape of {@code in}; may be {@code in}
     *     itself, but else must not share memory with it
     * @throws IllegalArgumentException if shapes or types do not fit, or an array is empty
     */
    public void codes(INDArray in, INDArray scale, INDArray out) {
        kernels(in, scale, out).quantize(grid, in, scale, out);
    }

    /**
     * Rounds values to codes.
     *
     * @param in values, any shape; finite
     * @param scale as in {@link #forward}
     * @return the codes as container bytes, int8 if the range is signed, else uint8, in row-major
     *     order of {@code in}, whatever its strides
     * @throws IllegalArgumentException if shapes or types do not fit, or an array is empty
     */
    public byte[] containers(INDArray in, INDArray scale) {
        requireNotEmpty(in);
        INDArray codes = Nd4j.createUninitializedDetached(in.dataType(), in.shape());
        codes(in, scale, codes);
        float[] centred = RowMajor.floats(codes);
        byte[] containers = new byte[centred.length];
        for (int i = 0; i < containers.length; i++) {
            containers[i] = (byte) ((int) centred[i] + grid.zeroPoint());
        }
        return containers;
    }

    /**
     * Checks the arrays of one pass.
     *
     * @throws IllegalArgumentException if shapes or types do not fit, or an array is empty
     */
    void requireFitting(INDArray in, INDArray scale, INDArray out) {
        kernels(in, scale, out);
    }

    private Kernels kernels(INDArray in, INDArray scale, INDArray out) {
        requireNotEmpty(in);
        requireSameShape(in, out, "the result");
        requireLength(scale, scales(in), "scales");
        return Kernels.of(in, scale, out);
    }

    private static void requireNotEmpty(INDArray in) {
        Require.argument(
                in.length() > 0,
                "a tensor of shape %s has no elements to round",
                Arrays.toString(in.shape()));
    }

    private static void requireSameShape(INDArray in, INDArray other, String what) {
        Require.argument(
                Arrays.equals(in.shape(), other.shape()),
                "%s has shape %s, the values have %s; they must be equal",
                what,
                Arrays.toString(other.shape()),
                Arrays.toString(in.shape()));
    }

    private static void requireLength(INDArray array, long length, String what) {
        Require.argument(
                array.length() == length,
                "%d %s for %d channels; there must be one for each",
                array.length(),
                what,
                length);
    }
}
