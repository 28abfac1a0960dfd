// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.ChannelWalk;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.nd.Walk;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rounds one tensor to drawn codes: {@code v = in / scale} becomes {@code floor(v) + 1} with the
 * probability {@code v - floor(v)}, else {@code floor(v)}, and is then clipped. So the mean of the
 * codes is {@code v}, and their variance {@code f (1 - f)} with {@code f = v - floor(v)}.
 *
 * <p>A value that is exactly a code's keeps it. Gradients are those of {@link FakeQuantizer}, the
 * scale's with the drawn codes in place of the nearest ones. Forward and backward draw the same
 * codes, because each follows from the element's index. The arithmetic is that of the arrays' type;
 * there is one path for all backends, through Java arrays.
 *
 * @see <a href="https://arxiv.org/abs/1502.02551">Gupta et al., Deep Learning with Limited
 *     Numerical Precision, 2015, section 3.1</a>
 */
public final class StochasticQuantizer {

    /*
     * The quotient of a code's float32 value and its scale is off the code, at most 255, by less than
     * this.
     */
    private static final double ROUNDING = 0x1p-12;

    private final Grid grid;
    private final Estimator estimator;
    private final CounterRandom draws;
    private final FakeQuantizer nearest;

    private StochasticQuantizer(Grid grid, Estimator estimator, CounterRandom draws) {
        this.grid = grid;
        this.estimator = estimator;
        this.draws = draws;
        this.nearest = FakeQuantizer.of(grid.range(), grid.zeroPoint(), estimator, grid.channels());
    }

    /**
     * Returns a quantizer for one pass forward and back.
     *
     * @param range the codes allowed
     * @param zeroPoint the code of the value 0, inside the range
     * @param estimator how gradients pass, and whether the scale has one; not EWGS, whose gradients
     *     depend on the distance to the nearest code
     * @param channels which elements share a scale
     * @param draws the random numbers
     * @return the quantizer
     * @throws IllegalArgumentException if the zero point is outside the range, or the estimator is
     *     EWGS
     */
    public static StochasticQuantizer of(
            CodeRange range,
            int zeroPoint,
            Estimator estimator,
            Channels channels,
            CounterRandom draws) {
        Require.argument(
                !(estimator instanceof Estimator.Ewgs),
                "%s scales gradients by the distance to the nearest code, so it cannot round"
                        + " stochastically",
                estimator);
        return new StochasticQuantizer(
                new Grid(range, zeroPoint, channels), estimator, Objects.requireNonNull(draws));
    }

    /**
     * Rounds values to values that have a code.
     *
     * @param in values, FLOAT or DOUBLE, any shape
     * @param scale units per code, one for each channel in row-major order
     * @param out takes the rounded values, of the shape of {@code in}; may be {@code in} itself
     * @throws IllegalArgumentException if shapes or types do not fit, or an array is empty
     */
    public void forward(INDArray in, INDArray scale, INDArray out) {
        nearest.requireFitting(in, scale, out);
        Quotients quotients = Quotients.of(in, scale, grid.channels());
        double[] values = quotients.values();
        for (int i = 0; i < values.length; i++) {
            values[i] = drawn(quotients, i) * quotients.scale(i);
        }
        RowMajor.copyInto(values, out);
    }

    /**
     * Turns the gradient of the rounded values into those of the values, the scale and the zero
     * point, as {@link FakeQuantizer#backward(INDArray, INDArray, INDArray, INDArray, INDArray,
     * INDArray, long)} does, which describes the arguments.
     *
     * @param in the values that were rounded
     * @param scale units per code
     * @param upstream loss per unit of each rounded value
     * @param gradientIn takes loss per unit of each value; may be {@code upstream} or {@code in}
     * @param scaleGradient takes loss per unit of scale; null if nobody asks for it
     * @param zeroPointGradient takes the gradient by the zero point; null if nobody asks for it
     * @param elements N of LSQ's paper
     * @throws IllegalArgumentException if shapes or types do not fit, an array is empty, or {@code
     *     elements} is not above 0
     */
    public void backward(
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn,
            @Nullable INDArray scaleGradient,
            @Nullable INDArray zeroPointGradient,
            long elements) {
        boolean byCodes =
                scaleGradient != null
                        && estimator.learnsScale()
                        && GradientRule.of(estimator, grid).byRounding();
        // Before the gradients are written, perhaps over the values.
        double[] more = byCodes ? differences(in, scale, upstream) : new double[0];
        nearest.backward(
                in, scale, upstream, gradientIn, scaleGradient, zeroPointGradient, elements);
        if (scaleGradient != null && byCodes) {
            double factor = nearest.gradientScale(elements);
            double[] gradients = RowMajor.doubles(scaleGradient);
            for (int i = 0; i < gradients.length; i++) {
                gradients[i] += factor * more[i];
            }
            RowMajor.copyInto(gradients, scaleGradient);
        }
    }

    /** {@return sum(upstream * (drawn code - nearest code)) of each channel} */
    private double[] differences(INDArray in, INDArray scale, INDArray upstream) {
        nearest.requireFitting(in, scale, upstream);
        Quotients quotients = Quotients.of(in, scale, grid.channels());
        double[] gradients = doubles(upstream);
        double[] sums = new double[(int) scale.length()];
        for (int i = 0; i < gradients.length; i++) {
            double near = clamped(Math.rint(quotients.values()[i]));
            sums[quotients.channel(i)] += gradients[i] * (drawn(quotients, i) - near);
        }
        return sums;
    }

    /** {@return the code of an element less the zero point, never -0; NaN of NaN} */
    private double drawn(Quotients quotients, int element) {
        // The bounds are integers: clipping first or last is the same.
        double value = clamped(quotients.values()[element]);
        double below = Math.floor(value);
        double fraction = value - below;
        if (fraction < ROUNDING || fraction > 1 - ROUNDING) {
            double near = Math.rint(value);
            if (quotients.isValueOf(near, element)) {
                return near + 0.0;
            }
        }
        return below + draws.below(element, fraction);
    }

    /* Most arrays are FLOAT, and are read several times faster as such. */
    private static double[] doubles(INDArray array) {
        if (array.dataType() != DataType.FLOAT) {
            return RowMajor.doubles(array);
        }
        float[] floats = RowMajor.floats(array);
        double[] doubles = new double[floats.length];
        for (int i = 0; i < floats.length; i++) {
            doubles[i] = floats[i];
        }
        return doubles;
    }

    private double clamped(double code) {
        return Math.min(Math.max(code, grid.lowest()), grid.highest()) + 0.0;
    }

    /** A tensor in units of its codes, row-major. */
    private static final class Quotients {

        private final double[] tensor;
        private final double[] scales;
        private final float[] channels;
        private final boolean single;
        private final double[] values;

        private Quotients(double[] tensor, double[] scales, float[] channels, boolean single) {
            this.tensor = tensor;
            this.scales = scales;
            this.channels = channels;
            this.single = single;
            this.values = new double[tensor.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = rounded(tensor[i] / scale(i));
            }
        }

        static Quotients of(INDArray in, INDArray scale, Channels channels) {
            double[] scales = RowMajor.doubles(scale);
            float[] numbers = new float[scales.length];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = i;
            }
            float[] channelOf = new float[Math.toIntExact(in.length())];
            ChannelWalk.of(Walk.rowMajor(in.shape()), channels)
                    .spread(0, numbers, channelOf, channelOf.length);
            return new Quotients(doubles(in), scales, channelOf, in.dataType() == DataType.FLOAT);
        }

        /** {@return the quotients, which the caller may overwrite one after another} */
        double[] values() {
            return values;
        }

        int channel(int element) {
            return (int) channels[element];
        }

        double scale(int element) {
            return scales[channel(element)];
        }

        boolean isValueOf(double code, int element) {
            return rounded(code * scale(element)) == tensor[element];
        }

        /* With FLOAT arrays the arithmetic is float32's: a quotient of two float32 numbers that is
         * rounded to float64 and then to float32 is as if rounded once. */
        private double rounded(double number) {
            return single ? (float) number : number;
        }
    }
}
