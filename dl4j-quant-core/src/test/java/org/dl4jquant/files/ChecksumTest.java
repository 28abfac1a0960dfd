// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.ByteBuffer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ChecksumTest {

    /* RFC 3720, appendix B.4, and the catalogue of parametrised CRC algorithms. */
    @Test
    void crcsAreThoseOfTheStandard() {
        assertEquals(0xe3069283, Checksum.crc32c("123456789".getBytes(US_ASCII)));
        assertEquals(0x8a9136aa, Checksum.crc32c(new byte[32]));
    }

    /* FIPS 180-2, appendix B.1. */
    @Test
    void digestsAreThoseOfTheStandard() {
        assertEquals(
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                Checksum.sha256Hex("abc"));
    }

    @Test
    void readsFromPositionToLimitAndMovesNeither() {
        ByteBuffer bytes = ByteBuffer.wrap("xxabcxx".getBytes(US_ASCII)).position(2).limit(5);
        assertEquals(Checksum.sha256Hex("abc"), Checksum.sha256Hex(bytes));
        assertEquals(Checksum.crc32c("abc".getBytes(US_ASCII)), Checksum.crc32c(bytes));
        assertEquals(3, bytes.remaining());
    }

    @Property
    void aChangedBitChangesTheCrc(
            @ForAll @Size(min = 1, max = 64) byte[] bytes, @ForAll @IntRange(min = 0) int bit) {
        int before = Checksum.crc32c(bytes);
        bytes[bit / 8 % bytes.length] ^= (byte) (1 << bit % 8);
        assertNotEquals(before, Checksum.crc32c(bytes));
    }
}
