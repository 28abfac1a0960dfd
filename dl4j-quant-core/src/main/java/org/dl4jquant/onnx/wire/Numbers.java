// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.dl4jquant.check.Require;

/**
 * An immutable sequence of numbers of one repeated field: integers, or the bit patterns of floats
 * or doubles. The field says which.
 */
public final class Numbers {

    /** No numbers. */
    public static final Numbers EMPTY = new Numbers();

    private final long[] bits;

    private Numbers(long... bits) {
        this.bits = bits;
    }

    /**
     * {@return integers}
     *
     * @param values the integers
     */
    public static Numbers of(long... values) {
        return new Numbers(Require.given(values, "values").clone());
    }

    /**
     * {@return floats}
     *
     * @param values the floats
     */
    public static Numbers ofFloats(float... values) {
        Require.given(values, "values");
        long[] bits = new long[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]) & 0xffff_ffffL;
        }
        return new Numbers(bits);
    }

    /**
     * {@return doubles}
     *
     * @param values the doubles
     */
    public static Numbers ofDoubles(double... values) {
        Require.given(values, "values");
        long[] bits = new long[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Double.doubleToRawLongBits(values[i]);
        }
        return new Numbers(bits);
    }

    /** {@return how many there are} */
    public int size() {
        return bits.length;
    }

    /**
     * {@return a number of a field of integers}
     *
     * @param index its place
     */
    public long at(int index) {
        return bits[index];
    }

    /**
     * {@return a number of a field of floats}
     *
     * @param index its place
     */
    public float floatAt(int index) {
        return Float.intBitsToFloat((int) bits[index]);
    }

    /**
     * {@return a number of a field of doubles}
     *
     * @param index its place
     */
    public double doubleAt(int index) {
        return Double.longBitsToDouble(bits[index]);
    }

    /** {@return the integers, in order} */
    public LongStream stream() {
        return Arrays.stream(bits);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Numbers that && Arrays.equals(bits, that.bits);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bits);
    }

    /** {@return the integers, as a list is written} */
    @Override
    public String toString() {
        return Arrays.toString(bits);
    }

    /** Numbers that are still being collected. */
    static final class Builder {

        private long[] bits;
        private int size;

        Builder(Numbers start) {
            bits = start.bits.clone();
            size = bits.length;
        }

        /** Makes place, so that known numbers of additions copy once. */
        void reserve(int more) {
            int needed = Math.addExact(size, more);
            if (needed > bits.length) {
                bits = Arrays.copyOf(bits, Math.max(needed, size + (size >> 1)));
            }
        }

        void add(long pattern) {
            reserve(1);
            bits[size++] = pattern;
        }

        Numbers build() {
            return size == 0 ? EMPTY : new Numbers(Arrays.copyOf(bits, size));
        }
    }
}
