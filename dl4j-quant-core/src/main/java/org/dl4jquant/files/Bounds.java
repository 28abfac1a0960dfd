// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.util.List;
import org.dl4jquant.check.Require;

/**
 * Checks of the sizes that a file claims, to be made before anything is allocated or looped over.
 * No sum or product overflows, whatever the file says.
 *
 * <p>Each method returns what it checked, so that a reader cannot use a number and forget the
 * check:
 *
 * <pre>{@code
 * float[] values = new float[Bounds.count("values of " + name, claimed, Float.BYTES, bytes.remaining())];
 * ByteBuffer part = all.slice(Bounds.place("section " + name, offset, length, all.limit()), (int) length);
 * }</pre>
 *
 * <p>All throw IllegalArgumentException; readers that promise an IOException catch it once.
 */
public final class Bounds {

    private Bounds() {}

    /**
     * Requires that so many things can be in the bytes that are left.
     *
     * @param what the things, for the message
     * @param count how many there are said to be
     * @param bytesEach the fewest bytes that one takes, above 0
     * @param available the bytes that are there
     * @return the count
     * @throws IllegalArgumentException if it is negative, more than fits, or above {@link
     *     Integer#MAX_VALUE}
     */
    public static int count(String what, long count, long bytesEach, long available) {
        Require.argument(bytesEach > 0, "%s: %d bytes each", what, bytesEach);
        Require.argument(
                available >= 0
                        && count >= 0
                        && count <= available / bytesEach
                        && count <= Integer.MAX_VALUE,
                "%s: there are said to be %d of at least %d bytes each, but %d bytes are left",
                what,
                count,
                bytesEach,
                Math.max(0, available));
        return (int) count;
    }

    /**
     * Requires that a part lies inside of a whole.
     *
     * @param what the part, for the message
     * @param offset where it begins
     * @param length how long it is
     * @param size the whole's length
     * @return the offset
     * @throws IllegalArgumentException if anything is negative, or the part ends after the whole
     */
    public static long range(String what, long offset, long length, long size) {
        Require.argument(
                offset >= 0 && length >= 0 && length <= size && offset <= size - length,
                "%s: %d from %d on are outside of [0, %d)",
                what,
                length,
                offset,
                size);
        return offset;
    }

    /**
     * Requires that a part lies inside of an array or buffer, as {@link #range} does.
     *
     * @param what the part, for the message
     * @param offset where it begins
     * @param length how long it is
     * @param size the whole's length
     * @return the offset
     * @throws IllegalArgumentException if anything is negative, or the part ends after the whole
     */
    public static int place(String what, long offset, long length, int size) {
        return (int) range(what, offset, length, size);
    }

    /**
     * Requires that a number is in an interval.
     *
     * @param what the number, for the message
     * @param found the number
     * @param least the smallest that is allowed
     * @param most the largest that is allowed
     * @return the number
     * @throws IllegalArgumentException if it is outside
     */
    public static int number(String what, long found, int least, int most) {
        Require.argument(
                found >= least && found <= most,
                "%s is %d, but must be in [%d, %d]",
                what,
                found,
                least,
                most);
        return (int) found;
    }

    /**
     * Requires that an index selects one of some things.
     *
     * @param what the thing, for the message
     * @param index the index
     * @param size how many there are
     * @return the index
     * @throws IllegalArgumentException if it is negative, or not below the size
     */
    public static int index(String what, long index, int size) {
        Require.argument(
                index >= 0 && index < size, "%s: %d is outside of [0, %d)", what, index, size);
        return (int) index;
    }

    /**
     * Requires that a tensor is no larger than something.
     *
     * @param what the tensor, for the message
     * @param dimensions its shape; no dimension is negative
     * @param most the most elements that are allowed
     * @return the number of elements, 1 without dimensions
     * @throws IllegalArgumentException if a dimension is negative, or the product above {@code
     *     most}
     */
    public static long elements(String what, List<? extends Number> dimensions, long most) {
        boolean empty = false;
        for (Number dimension : dimensions) {
            Require.argument(
                    dimension.longValue() >= 0, "%s: the shape %s is negative", what, dimensions);
            empty |= dimension.longValue() == 0;
        }
        if (empty) {
            return 0;
        }
        long product = 1;
        long left = most;
        for (Number dimension : dimensions) {
            // What the other dimensions may multiply to: floors of quotients are the floor of all.
            left /= dimension.longValue();
            product *= dimension.longValue();
        }
        Require.argument(
                left >= 1,
                "%s: the shape %s has more than the %d elements that are allowed",
                what,
                dimensions,
                most);
        return product;
    }

    /**
     * Adds sizes.
     *
     * @param what their sum, for the message
     * @param most the most that is allowed
     * @param sizes none is negative
     * @return the sum
     * @throws IllegalArgumentException if a size is negative, or the sum above {@code most}
     */
    public static long sum(String what, long most, long... sizes) {
        long sum = 0;
        for (long size : sizes) {
            Require.argument(
                    size >= 0 && size <= most - sum,
                    "%s: %d and %d are outside of [0, %d]",
                    what,
                    sum,
                    size,
                    most);
            sum += size;
        }
        return sum;
    }
}
