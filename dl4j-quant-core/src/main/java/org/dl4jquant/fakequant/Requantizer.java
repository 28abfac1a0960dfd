// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import java.util.Arrays;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Turns the accumulators of an integer layer into codes or values, with the arithmetic of the
 * engines: the last step of exact inference on INDArrays.
 *
 * <p>Accumulators are integers held as floats, as a float convolution of codes gives them; they are
 * rounded first, so that noise of less than a half does no harm. Then {@code code = clamp(rint(acc
 * * multiplier[channel]) + zeroPoint)} in float32, and with a table {@code code = table[code]}. A
 * value is {@code (code - zeroPoint) * scale}. Arrays may have any order and strides and be FLOAT
 * or DOUBLE. A requantizer is immutable.
 */
public final class Requantizer {

    private final RequantizeSteps toCodes;
    private final RequantizeSteps toValues;

    private Requantizer(RequantizeSteps toCodes, RequantizeSteps toValues) {
        this.toCodes = toCodes;
        this.toValues = toValues;
    }

    /**
     * Returns a requantizer whose activation is nothing but a clamp.
     *
     * @param multipliers codes of the result per unit of the accumulator, one for each channel
     *     ({@link org.dl4jquant.numeric.Rounding#multiplier}); copied
     * @param channels the axes of the accumulator that number the channels
     * @param output how the result's codes stand for values
     * @param bounds the codes allowed, inside the output's range
     * @return the requantizer
     * @throws IllegalArgumentException if the bounds are outside the output's range
     */
    public static Requantizer of(
            float[] multipliers, Channels channels, QuantParams output, CodeRange bounds) {
        requireInside(bounds, output.range());
        RequantizeSteps.Bounds codes = centred(bounds, output.zeroPoint());
        RequantizeSteps numbers = RequantizeSteps.multiplying(multipliers.clone(), channels);
        return new Requantizer(
                numbers.thenScaled(codes, 1), numbers.thenScaled(codes, output.scale()));
    }

    /**
     * Returns a requantizer whose activation is a table.
     *
     * @param multipliers codes before the table per unit of the accumulator, one for each channel;
     *     copied
     * @param channels the axes of the accumulator that number the channels
     * @param preActivation how the codes before the table stand for values
     * @param table the activation function
     * @param output how the table's codes stand for values
     * @param bounds the codes allowed, inside the output's range; the table's are clamped to them
     * @return the requantizer
     * @throws IllegalArgumentException if the bounds are outside the output's range
     */
    public static Requantizer withTable(
            float[] multipliers,
            Channels channels,
            QuantParams preActivation,
            CodeTable table,
            QuantParams output,
            CodeRange bounds) {
        requireInside(bounds, output.range());
        RequantizeSteps numbers = RequantizeSteps.multiplying(multipliers.clone(), channels);
        return throughTable(numbers, preActivation, table, output, bounds);
    }

    /**
     * Returns a table for a tensor that is no accumulator: values are rounded to codes, {@code
     * clamp(rint(value / scale) + zeroPoint)}, and then looked up.
     *
     * @param input how the codes before the table stand for values
     * @param table the function
     * @param output how the table's codes stand for values
     * @param bounds the codes allowed, inside the output's range; the table's are clamped to them
     * @return the table, to be applied to values instead of accumulators
     * @throws IllegalArgumentException if the bounds are outside the output's range
     */
    public static Requantizer ofValues(
            QuantParams input, CodeTable table, QuantParams output, CodeRange bounds) {
        requireInside(bounds, output.range());
        return throughTable(RequantizeSteps.dividing(input.scale()), input, table, output, bounds);
    }

    /**
     * Turns accumulators into real numbers, {@code acc * scale[channel]}: the output of a last
     * layer, which no code stands for.
     *
     * @param accumulator integers held as floats
     * @param scales units per unit of the accumulator, one for each channel
     * @param channels the axes of the accumulator that number the channels
     * @param out takes the real numbers, of the accumulator's shape; may be {@code accumulator}
     *     itself, but else must not share memory with it
     * @throws IllegalArgumentException if shapes or types do not fit, or an array is empty
     */
    public static void toFloat(
            INDArray accumulator, float[] scales, Channels channels, INDArray out) {
        apply(RequantizeSteps.multiplying(scales, channels), accumulator, out);
    }

    /**
     * Computes codes less the zero point.
     *
     * @param accumulator integers held as floats
     * @param out takes the codes less the zero point, of the accumulator's shape; may be {@code
     *     accumulator} itself, but else must not share memory with it
     * @throws IllegalArgumentException if shapes or types do not fit, or an array is empty
     */
    public void codes(INDArray accumulator, INDArray out) {
        apply(toCodes, accumulator, out);
    }

    /**
     * Computes the values of the codes.
     *
     * @param accumulator integers held as floats
     * @param out takes the values, of the accumulator's shape; may be {@code accumulator} itself,
     *     but else must not share memory with it
     * @throws IllegalArgumentException if shapes or types do not fit, or an array is empty
     */
    public void values(INDArray accumulator, INDArray out) {
        apply(toValues, accumulator, out);
    }

    private static void apply(RequantizeSteps steps, INDArray accumulator, INDArray out) {
        Require.argument(
                accumulator.length() > 0 && Arrays.equals(accumulator.shape(), out.shape()),
                "accumulators of shape %s and a result of shape %s; the shapes must be equal and"
                        + " not empty",
                Arrays.toString(accumulator.shape()),
                Arrays.toString(out.shape()));
        int channels = steps.channels().count(accumulator.shape());
        Require.argument(
                steps.factors().length == channels,
                "%d multipliers for %d channels of accumulators of shape %s; there must be one for"
                        + " each",
                steps.factors().length,
                channels,
                Arrays.toString(accumulator.shape()));
        Kernels.of(accumulator, out).requantize(steps, accumulator, out);
    }

    private static Requantizer throughTable(
            RequantizeSteps numbers,
            QuantParams before,
            CodeTable table,
            QuantParams output,
            CodeRange bounds) {
        int first = before.range().min();
        float[] codes = new float[before.range().max() - first + 1];
        float[] values = new float[codes.length];
        for (int i = 0; i < codes.length; i++) {
            int code = bounds.clamp(output.range().decode(table.lookUp((byte) (first + i))));
            codes[i] = code - output.zeroPoint();
            values[i] = output.dequantize(code);
        }
        RequantizeSteps.Bounds rounded = centred(before.range(), before.zeroPoint());
        return new Requantizer(
                numbers.thenLookedUp(rounded, codes), numbers.thenLookedUp(rounded, values));
    }

    private static RequantizeSteps.Bounds centred(CodeRange range, int zeroPoint) {
        return new RequantizeSteps.Bounds(range.min() - zeroPoint, range.max() - zeroPoint);
    }

    private static void requireInside(CodeRange bounds, CodeRange range) {
        Require.argument(
                range.contains(bounds.min()) && range.contains(bounds.max()),
                "bounds [%d, %d] reach beyond the output's codes [%d, %d]",
                bounds.min(),
                bounds.max(),
                range.min(),
                range.max());
    }
}
