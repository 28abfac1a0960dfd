// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

/**
 * How codes stand for values whose scale is found in the values themselves, in 8 bits.
 *
 * <p>Everything is one float32 operation at a time, so that each engine computes the same.
 *
 * @param scale units per code
 * @param zeroPoint the code of the value 0
 * @param least the smallest code
 */
public record RuntimeParams(float scale, int zeroPoint, int least) {

    /** The largest number of a scale per row, so that no product with a sum leaves float32. */
    public static final float LARGEST_SCALE = 1e28f;

    /** The smallest one, that of a row of zeros. */
    public static final float SMALLEST_SCALE = 1e-30f;

    /** The largest code of a row. */
    public static final float LARGEST_CODE = 127;

    private static final int CODES = 255;

    /**
     * {@return how the codes of a row stand for its values: signed codes with zero point 0}
     *
     * @param values finite values
     * @param from the index of the row's first value
     * @param count how many values it has
     * @param stride how far apart they are
     */
    public static RuntimeParams ofRow(float[] values, int from, int count, int stride) {
        float largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Math.abs(values[from + i * stride]));
        }
        float scale = Math.min(Math.max(largest / LARGEST_CODE, SMALLEST_SCALE), LARGEST_SCALE);
        return new RuntimeParams(scale, 0, -128);
    }

    /**
     * {@return how the codes of a batch stand for its values: unsigned codes, as ONNX's
     * DynamicQuantizeLinear makes them}
     *
     * @param values finite values
     */
    public static RuntimeParams ofBatch(float[] values) {
        float least = 0;
        float most = 0;
        for (float value : values) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        float scale = most == least ? 1 : (most - least) / CODES;
        float zero = Math.min(Math.max(0 - least / scale, 0), CODES);
        return new RuntimeParams(scale, (int) Math.rint(zero), 0);
    }

    /**
     * {@return a value's code, less the zero point}
     *
     * @param value a finite value
     */
    public int distance(float value) {
        // Clamped once more before the zero point, which a code near the end of int32 would leave.
        double rounded = Math.min(Math.max(Math.rint(value / scale), -2.0 * CODES), 2.0 * CODES);
        int code = (int) rounded + zeroPoint;
        return Math.min(Math.max(code, least), least + CODES) - zeroPoint;
    }

    /**
     * {@return the value of a sum of products}
     *
     * @param sum of codes, less their zero points, and of weights' codes
     * @param weightScale units per code of the weights
     * @param bias added with a rounding of its own
     */
    public float value(int sum, float weightScale, float bias) {
        float product =
                least < 0 ? (float) sum * scale * weightScale : (float) sum * (scale * weightScale);
        return product + bias;
    }
}
