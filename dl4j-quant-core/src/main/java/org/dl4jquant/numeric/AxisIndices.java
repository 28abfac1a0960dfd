// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;

/**
 * For each index along an axis of a result, the index of the source, or {@link #ZERO}.
 *
 * <p>Cropping, repeating, reversing and padding an axis are such lists; {@link #then} composes two.
 */
public final class AxisIndices {

    /** Stands where the result is 0 and has no source. */
    public static final int ZERO = -1;

    /** The most indices of one axis. */
    public static final int MAX_SIZE = 1 << 20;

    private final int[] sources;

    private AxisIndices(int[] sources) {
        this.sources = sources;
    }

    /**
     * {@return the list of these sources}
     *
     * @param sources at least one; each from 0, or {@link #ZERO}; copied
     * @throws IllegalArgumentException if there is none, or one is below {@link #ZERO}
     */
    public static AxisIndices of(int... sources) {
        Require.given(sources, "sources");
        requireSize(sources.length);
        for (int source : sources) {
            Require.argument(
                    source >= ZERO,
                    "an axis has the source index %d; it must be at least 0, or -1 for a zero",
                    source);
        }
        return new AxisIndices(sources.clone());
    }

    private static int requireSize(long size) {
        Require.argument(
                size >= 1 && size <= MAX_SIZE,
                "an axis of a result has %d indices; 1 to %d are allowed",
                size,
                MAX_SIZE);
        return (int) size;
    }

    private static void requireNotNegative(String what, int number) {
        Require.argument(number >= 0, "%s is %d; it must not be negative", what, number);
    }

    /**
     * {@return every index once, in order}
     *
     * @param size of the axis
     */
    public static AxisIndices identity(int size) {
        return range(0, size);
    }

    /**
     * {@return the indices from one to another: the axis with its ends cut off}
     *
     * @param from the first index
     * @param to the index after the last
     */
    public static AxisIndices range(int from, int to) {
        requireNotNegative("the first index of a range", from);
        requireSize((long) to - from);
        return new AxisIndices(IntStream.range(from, to).toArray());
    }

    /**
     * {@return the axis with zeros at its ends}
     *
     * @param size of the axis
     * @param before how many zeros come first
     * @param after how many zeros come last
     */
    public static AxisIndices padded(int size, int before, int after) {
        requireNotNegative("the padding before an axis", before);
        requireNotNegative("the padding after an axis", after);
        int[] sources = new int[requireSize((long) requireSize(size) + before + after)];
        Arrays.setAll(
                sources, index -> index < before || index >= before + size ? ZERO : index - before);
        return new AxisIndices(sources);
    }

    /**
     * {@return each index several times in a row: nearest-neighbour upsampling}
     *
     * @param size of the axis
     * @param times how often each comes, above 0
     */
    public static AxisIndices repeated(int size, int times) {
        requireSize(size);
        requireSize(times);
        int[] sources = new int[requireSize((long) size * times)];
        Arrays.setAll(sources, index -> index / times);
        return new AxisIndices(sources);
    }

    /**
     * {@return the last index first}
     *
     * @param size of the axis
     */
    public static AxisIndices reversed(int size) {
        int[] sources = new int[requireSize(size)];
        Arrays.setAll(sources, index -> size - 1 - index);
        return new AxisIndices(sources);
    }

    /** {@return how many indices there are: the size of the result's axis} */
    public int size() {
        return sources.length;
    }

    /**
     * {@return the source of an index of the result, or {@link #ZERO}}
     *
     * @param index from 0
     */
    public int source(int index) {
        return sources[index];
    }

    /** {@return the greatest source, or {@link #ZERO} if all are} */
    public int greatest() {
        return IntStream.of(sources).max().orElse(ZERO);
    }

    /**
     * {@return whether the result's axis is the source's}
     *
     * @param sourceSize of the source's axis
     */
    public boolean isIdentity(int sourceSize) {
        if (sources.length != sourceSize) {
            return false;
        }
        for (int index = 0; index < sourceSize; index++) {
            if (sources[index] != index) {
                return false;
            }
        }
        return true;
    }

    /** {@return whether the result's axis is a part of the source's, in its order} */
    public boolean isRange() {
        for (int index = 0; index < sources.length; index++) {
            if (sources[index] == ZERO || sources[index] != sources[0] + index) {
                return false;
            }
        }
        return true;
    }

    /**
     * {@return the list that takes from the source what another list takes from this one's result}
     *
     * @param next the other list, whose sources are indices of this one
     */
    public AxisIndices then(AxisIndices next) {
        Require.given(next, "next");
        Require.argument(
                next.greatest() < size(),
                "the source index %d of an axis of %d",
                next.greatest(),
                size());
        return new AxisIndices(
                IntStream.of(next.sources).map(at -> at == ZERO ? ZERO : sources[at]).toArray());
    }

    /** {@return a copy of the list} */
    public int[] toArray() {
        return sources.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AxisIndices that && Arrays.equals(sources, that.sources);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sources);
    }

    @Override
    public String toString() {
        int shown = 8;
        return sources.length <= shown
                ? Arrays.toString(sources)
                : Arrays.toString(Arrays.copyOf(sources, shown)) + "... of " + sources.length;
    }
}
