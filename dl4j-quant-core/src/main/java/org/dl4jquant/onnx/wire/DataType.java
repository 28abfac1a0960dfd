// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.Arrays;
import java.util.Optional;

/** The types of a tensor's elements, up to IR version 13. */
public enum DataType {
    /** No type. */
    UNDEFINED(0, 0),
    /** 32-bit float. */
    FLOAT(1, 32),
    /** Unsigned byte. */
    UINT8(2, 8),
    /** Signed byte. */
    INT8(3, 8),
    /** Unsigned, 16 bits. */
    UINT16(4, 16),
    /** Signed, 16 bits. */
    INT16(5, 16),
    /** Signed, 32 bits. */
    INT32(6, 32),
    /** Signed, 64 bits. */
    INT64(7, 64),
    /** Text; of no fixed size. */
    STRING(8, 0),
    /** A byte that is 0 or 1. */
    BOOL(9, 8),
    /** 16-bit float of IEEE 754. */
    FLOAT16(10, 16),
    /** 64-bit float. */
    DOUBLE(11, 64),
    /** Unsigned, 32 bits. */
    UINT32(12, 32),
    /** Unsigned, 64 bits. */
    UINT64(13, 64),
    /** Two 32-bit floats. */
    COMPLEX64(14, 64),
    /** Two 64-bit floats. */
    COMPLEX128(15, 128),
    /** The upper half of a 32-bit float. */
    BFLOAT16(16, 16),
    /** 8-bit float: 4 bits of exponent, 3 of mantissa, no infinity. */
    FLOAT8E4M3FN(17, 8),
    /** The same with another bias and without negative zero. */
    FLOAT8E4M3FNUZ(18, 8),
    /** 8-bit float: 5 bits of exponent, 2 of mantissa. */
    FLOAT8E5M2(19, 8),
    /** The same without infinities and negative zero. */
    FLOAT8E5M2FNUZ(20, 8),
    /** Unsigned, 4 bits. */
    UINT4(21, 4),
    /** Signed, 4 bits. */
    INT4(22, 4),
    /** 4-bit float: 2 bits of exponent, 1 of mantissa. */
    FLOAT4E2M1(23, 4),
    /** A power of two: 8 bits of exponent. */
    FLOAT8E8M0(24, 8),
    /** Unsigned, 2 bits. */
    UINT2(25, 2),
    /** Signed, 2 bits. */
    INT2(26, 2);

    private final int number;
    private final int bits;

    DataType(int number, int bits) {
        this.number = number;
        this.bits = bits;
    }

    /** {@return the number in files} */
    public int number() {
        return number;
    }

    /** {@return the bits of one element; 0 if they vary} */
    public int bits() {
        return bits;
    }

    /**
     * {@return how many raw bytes so many elements take; those below a byte are packed, the first
     * one into the lowest bits}
     *
     * @param elements how many, not negative
     */
    public long rawBytes(long elements) {
        return bits >= 8
                ? Math.multiplyExact(elements, bits / 8)
                : -Math.floorDiv(-elements * bits, 8);
    }

    /**
     * {@return the type that a number stands for, if it is known}
     *
     * @param number a number of a file
     */
    public static Optional<DataType> of(long number) {
        return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
    }

    /**
     * {@return the name of the type that a number stands for, for messages}
     *
     * @param number a number of a file
     */
    public static String name(long number) {
        return of(number).map(DataType::name).orElse("number " + number);
    }
}
