// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.nd4j.shade.jackson.annotation.JsonIgnore;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * Integers of 2 to 8 bits, or of 16. Whether they are signed follows from the tensor: weights are
 * signed and narrow, activations unsigned wherever they cannot be negative.
 *
 * @param bits the width, 2 to 8, or 16
 */
public record IntFormat(@JsonDeserialize(using = StrictScalars.OfInt.class) int bits)
        implements NumberFormat {

    /** The smallest width. */
    public static final int MIN_BITS = 2;

    /** Checks the width. */
    public IntFormat {
        Require.argument(
                (bits >= MIN_BITS && bits <= CodeRange.MAX_BITS) || bits == CodeRange.WIDE_BITS,
                "integer format of %d bits: the width must be in [%d, %d], or %d",
                bits,
                MIN_BITS,
                CodeRange.MAX_BITS,
                CodeRange.WIDE_BITS);
    }

    /** {@return whether the codes need two bytes each} */
    @JsonIgnore
    public boolean isWide() {
        return bits > CodeRange.MAX_BITS;
    }

    @Override
    public int bitsPerNumber() {
        return bits;
    }
}
