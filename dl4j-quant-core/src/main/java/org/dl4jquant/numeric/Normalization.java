// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.List;
import org.dl4jquant.check.Require;

/**
 * The values of codes divided by a power of a sum of their squares: layer normalization, L2
 * normalization and local response normalization.
 *
 * <p>Of n codes q less their zero point, {@code d = n * q - sum(q)} and {@code V = n * sum(q * q) -
 * sum(q)^2} if they are centered, else {@code d = q} and {@code V = sum(q * q)}, all of them exact
 * integers. Then, one float32 rounding after each operation, {@code u = (float) V * factor +
 * offset}, {@code y = (float) d / max(u^power, least) * gain + shift}. The power is a product of u
 * and its repeated square roots, so that no engine computes a logarithm; a factor of 1, an offset
 * of 0, a least of 0, and gains and shifts that are not there, are no operations.
 *
 * @param centered whether the codes' mean is subtracted, and V is n^2 times their variance
 * @param factor the factor of the sum, above 0
 * @param offset the number added to it, at least 0
 * @param power the exponent, above 0 and at most {@link #MAX_POWER}, a multiple of 2^-{@link
 *     #DIGITS}
 * @param least the least divisor, at least 0; above 0 if the offset is 0
 * @param gains the factors of the quotients: none, one, or one for each place of a row
 * @param shifts the numbers added at the end: none, one, or one for each place of a row
 * @see <a href="https://arxiv.org/abs/1607.06450">Ba et al., 2016: Layer Normalization</a>
 */
public record Normalization(
        boolean centered,
        float factor,
        float offset,
        double power,
        float least,
        List<Float> gains,
        List<Float> shifts) {

    /** The most codes of a row: the sum of their squares fits int32. */
    public static final int MAX_LENGTH = 1 << 15;

    /** The binary digits of an exponent after the point, each of which is a square root. */
    public static final int DIGITS = 20;

    /** The largest exponent. */
    public static final int MAX_POWER = 4;

    /** The exponent of a square root. */
    public static final double ROOT = 0.5;

    private static final int UNIT = 1 << DIGITS;

    /** Checks the numbers. */
    public Normalization {
        gains = List.copyOf(gains);
        shifts = List.copyOf(shifts);
        Require.argument(
                factor > 0 && Float.isFinite(factor) && offset >= 0 && Float.isFinite(offset),
                "a normalization by %s times a sum plus %s; the factor must be above 0, the other"
                        + " at least 0, and both finite",
                factor,
                offset);
        Require.argument(
                power > 0 && power <= MAX_POWER && power * UNIT == Math.rint(power * UNIT),
                "a normalization by the power of %s; multiples of 2^-%d above 0 and up to %d are"
                        + " allowed",
                power,
                DIGITS,
                MAX_POWER);
        Require.argument(
                (least > 0 || (least == 0 && offset > 0)) && Float.isFinite(least),
                "a normalization whose least divisor is %s; it must be finite and above 0, or 0 if"
                        + " something above 0 is added to the sum",
                least);
        Require.argument(
                gains.stream().allMatch(Float::isFinite)
                        && shifts.stream().allMatch(Float::isFinite),
                "a normalization with a gain or shift that is NaN or infinite");
    }

    /**
     * {@return the normalization of a layer's results to a mean of 0 and a variance of 1}
     *
     * @param epsilon the number added to the variance
     * @param length how many codes a row has
     * @param scale units per code
     * @param gains the factors of the results
     * @param shifts the numbers added to them
     */
    public static Normalization ofLayer(
            double epsilon, int length, float scale, List<Float> gains, List<Float> shifts) {
        double squared = (double) scale * scale;
        float offset = (float) (epsilon * length * length / squared);
        // Without an offset the spread of equal codes is 0, as is each code less their mean.
        return new Normalization(true, 1, offset, ROOT, offset > 0 ? 0 : 1, gains, shifts);
    }

    /**
     * {@return the division by the square root of the sum of squares}
     *
     * @param least the least divisor, in units of values
     * @param scale units per code
     */
    public static Normalization byLength(double least, float scale) {
        float codes = (float) (least / scale);
        return new Normalization(false, 1, 0, ROOT, Math.max(codes, 1), List.of(), List.of());
    }

    /**
     * {@return the local response normalization, {@code x / (offset + alpha * sum(x^2))^power}}
     *
     * @param offset the number added to the sum, above 0
     * @param alpha the sum's factor
     * @param power the exponent, which is rounded to {@link #DIGITS} digits
     * @param scale units per code
     * @see <a href="https://papers.nips.cc/paper/4824">Krizhevsky et al., 2012</a>
     */
    public static Normalization local(double offset, double alpha, double power, float scale) {
        float factor = (float) (alpha * scale * scale);
        return new Normalization(
                false, factor, (float) offset, nearest(power), 0, List.of(scale), List.of());
    }

    /**
     * {@return the nearest exponent that a normalization can have}
     *
     * @param power any number
     */
    public static double nearest(double power) {
        return Math.rint(power * UNIT) / UNIT;
    }

    /** {@return the exponent as a whole number of units of 2^-{@link #DIGITS}} */
    public int units() {
        return (int) (power * UNIT);
    }

    /**
     * {@return the values that codes are normalized to}
     *
     * @param codes less their zero point: [rows, length, inner], row-major
     * @param length how many of them a row has
     * @param inner how far one code of a row is from the next
     * @param reach how many codes to either side are summed with each; at least {@code length} for
     *     all of the row
     */
    public float[] values(int[] codes, int length, int inner, int reach) {
        float[] values = new float[Require.given(codes, "codes").length];
        for (int block = 0; block < codes.length; block += length * inner) {
            for (int start = block; start < block + inner; start++) {
                if (reach < length - 1) {
                    windows(codes, new Row(start, inner, length), reach, values);
                } else {
                    whole(codes, new Row(start, inner, length), values);
                }
            }
        }
        return values;
    }

    /**
     * The places of a row's codes.
     *
     * @param start the first place
     * @param step from one to the next
     * @param length how many there are
     */
    private record Row(int start, int step, int length) {
        int at(int index) {
            return start + index * step;
        }
    }

    private void whole(int[] codes, Row row, float[] values) {
        int sum = 0;
        int squares = 0;
        for (int i = 0; i < row.length; i++) {
            int code = codes[row.at(i)];
            sum += code;
            squares += code * code;
        }
        long spread = centered ? (long) row.length * squares - (long) sum * sum : squares;
        float divisor = divisor(spread);
        for (int i = 0; i < row.length; i++) {
            int code = codes[row.at(i)];
            values[row.at(i)] = value(centered ? row.length * code - sum : code, divisor, i);
        }
    }

    private void windows(int[] codes, Row row, int reach, float[] values) {
        Require.argument(!centered, "codes of a window are centered, which only whole rows are");
        for (int i = 0; i < row.length; i++) {
            int squares = 0;
            for (int j = Math.max(0, i - reach); j <= Math.min(row.length - 1, i + reach); j++) {
                squares += codes[row.at(j)] * codes[row.at(j)];
            }
            values[row.at(i)] = value(codes[row.at(i)], divisor(squares), i);
        }
    }

    private float value(int code, float divisor, int place) {
        float value = code / divisor;
        if (!gains.isEmpty()) {
            value = value * gains.get(gains.size() == 1 ? 0 : place);
        }
        if (!shifts.isEmpty()) {
            value = value + shifts.get(shifts.size() == 1 ? 0 : place);
        }
        return value;
    }

    /**
     * {@return the divisor of codes}
     *
     * @param spread V, the sum of squares or n^2 times the variance
     */
    public float divisor(long spread) {
        float argument = (float) spread * factor + offset;
        return Math.max(power(argument), least);
    }

    /* A whole power first, then the roots from the square root on. */
    private float power(float argument) {
        float result = 1;
        for (int i = 0; i < units() / UNIT; i++) {
            result *= argument;
        }
        float root = argument;
        for (int rest = units() % UNIT; rest != 0; rest = rest * 2 % UNIT) {
            root = (float) Math.sqrt(root);
            if (rest * 2 >= UNIT) {
                result *= root;
            }
        }
        return result;
    }
}
