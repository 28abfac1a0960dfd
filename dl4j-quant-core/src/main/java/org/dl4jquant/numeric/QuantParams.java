// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * How one tensor's codes stand for values: the fitted result of calibration or training.
 *
 * @param scale units per code, finite and above 0
 * @param zeroPoint the code of the value 0, inside {@code range}
 * @param range the codes that the tensor may hold
 */
public record QuantParams(float scale, int zeroPoint, CodeRange range) {

    /** Checks the scale and the zero point. */
    public QuantParams {
        Objects.requireNonNull(range, "range");
        Require.argument(
                scale > 0 && Float.isFinite(scale),
                "scale %s is not a finite number above 0",
                scale);
        Require.argument(
                range.contains(zeroPoint),
                "zero point %d is outside the codes [%d, %d]",
                zeroPoint,
                range.min(),
                range.max());
    }

    /**
     * {@return the code of a value, see {@link Rounding#quantize}}
     *
     * @param value a finite value
     */
    public int quantize(float value) {
        return Rounding.quantize(value, scale, zeroPoint, range);
    }

    /**
     * {@return the value of a code}
     *
     * @param code a code of the range
     */
    public float dequantize(int code) {
        return Rounding.dequantize(code, scale, zeroPoint);
    }
}
