// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import org.dl4jquant.check.Require;

/** Two signed 4-bit codes in one byte, the first in the low nibble: the form of files. */
public final class PackedInt4 {

    private static final CodeRange RANGE = CodeRange.signed(4);

    private PackedInt4() {}

    /**
     * {@return the codes packed two per byte; an odd count leaves the last high nibble 0}
     *
     * @param codes int8 containers of codes in [-8, 7]
     * @throws IllegalArgumentException if a code does not fit 4 bits
     */
    public static byte[] pack(byte[] codes) {
        byte[] packed = new byte[(codes.length + 1) / 2];
        for (int i = 0; i < codes.length; i++) {
            Require.argument(
                    RANGE.contains(codes[i]), "code %d at %d does not fit 4 bits", codes[i], i);
            packed[i / 2] |= (byte) ((codes[i] & 0xf) << (4 * (i % 2)));
        }
        return packed;
    }

    /**
     * {@return the codes in int8 containers}
     *
     * @param packed bytes from {@link #pack}
     * @param count how many codes they hold
     * @throws IllegalArgumentException if the count does not belong to the number of bytes
     */
    public static byte[] unpack(byte[] packed, int count) {
        Require.argument(
                packed.length == (count + 1) / 2,
                "%d bytes hold %d or %d codes, not %d",
                packed.length,
                2 * packed.length - 1,
                2 * packed.length,
                count);
        byte[] codes = new byte[count];
        for (int i = 0; i < count; i++) {
            int nibble = packed[i / 2] >> (4 * (i % 2));
            codes[i] = (byte) ((nibble << 28) >> 28);
        }
        return codes;
    }
}
