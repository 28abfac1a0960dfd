// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

/** How the values of a field are written. */
enum Kind {
    /** 32-bit integers and enumerations. */
    INT32(Kind.VARINT),
    /** 64-bit integers, signed or not: both have the same bits. */
    INT64(Kind.VARINT),
    FLOAT(Kind.FIXED32),
    DOUBLE(Kind.FIXED64),
    TEXT(Kind.DELIMITED),
    BYTES(Kind.DELIMITED),
    MESSAGE(Kind.DELIMITED);

    /** A number in base 128, least significant digit first. */
    static final int VARINT = 0;

    /** Eight bytes, little-endian. */
    static final int FIXED64 = 1;

    /** A length, and so many bytes. */
    static final int DELIMITED = 2;

    /** Four bytes, little-endian. */
    static final int FIXED32 = 5;

    private final int wireType;

    Kind(int wireType) {
        this.wireType = wireType;
    }

    int wireType() {
        return wireType;
    }

    boolean isNumber() {
        return wireType != DELIMITED;
    }

    /** {@return the bit pattern of a single number's value} */
    long bits(Object value) {
        return switch (this) {
            case INT32, INT64 -> (Long) value;
            case FLOAT -> Float.floatToRawIntBits((Float) value) & 0xffff_ffffL;
            case DOUBLE -> Double.doubleToRawLongBits((Double) value);
            case TEXT, BYTES, MESSAGE -> throw new IllegalStateException(this + " is no number");
        };
    }

    /** {@return the value of a single number's bit pattern} */
    Object value(long bits) {
        return switch (this) {
            case INT32, INT64 -> bits;
            case FLOAT -> Float.intBitsToFloat((int) bits);
            case DOUBLE -> Double.longBitsToDouble(bits);
            case TEXT, BYTES, MESSAGE -> throw new IllegalStateException(this + " is no number");
        };
    }

    /**
     * {@return the bit pattern that a varint is read as; the upper half of a 32-bit one is lost}
     */
    long narrowed(long bits) {
        return this == INT32 ? (int) bits : bits;
    }
}
