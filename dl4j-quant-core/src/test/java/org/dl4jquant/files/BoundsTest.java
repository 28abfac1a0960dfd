// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** Against arithmetic that cannot overflow. */
class BoundsTest {

    private static final BigInteger INT = BigInteger.valueOf(Integer.MAX_VALUE);

    @Property
    void aCountIsAllowedIfItsBytesAreThere(
            @ForAll("sizes") long count,
            @ForAll("positive") long each,
            @ForAll("sizes") long left) {
        boolean fits =
                count >= 0
                        && big(count).compareTo(INT) <= 0
                        && big(count).multiply(big(each)).compareTo(big(left)) <= 0;
        requireAllowed(fits, count, () -> Bounds.count("things", count, each, left));
    }

    @Property
    void aRangeIsAllowedIfItLiesInside(
            @ForAll("sizes") long offset,
            @ForAll("sizes") long length,
            @ForAll("sizes") long size) {
        boolean inside =
                offset >= 0
                        && length >= 0
                        && big(offset).add(big(length)).compareTo(big(size)) <= 0;
        requireAllowed(inside, offset, () -> Bounds.range("part", offset, length, size));
    }

    @Property
    void theElementsOfAShapeAreItsProduct(
            @ForAll("shapes") List<Long> shape, @ForAll("sizes") long most) {
        BigInteger product =
                shape.stream().map(BoundsTest::big).reduce(BigInteger.ONE, BigInteger::multiply);
        boolean fits =
                shape.stream().allMatch(size -> size >= 0)
                        && (product.signum() == 0 || product.compareTo(big(most)) <= 0);
        requireAllowed(fits, product.longValue(), () -> Bounds.elements("tensor", shape, most));
    }

    @Property
    void aSumIsExact(@ForAll("shapes") List<Long> sizes, @ForAll("sizes") long most) {
        BigInteger sum =
                sizes.stream().map(BoundsTest::big).reduce(BigInteger.ZERO, BigInteger::add);
        boolean fits =
                sizes.stream().allMatch(size -> size >= 0)
                        && (sizes.isEmpty() || sum.compareTo(big(most)) <= 0);
        long[] array = sizes.stream().mapToLong(Long::longValue).toArray();
        requireAllowed(fits, sum.longValue(), () -> Bounds.sum("all", most, array));
    }

    @Test
    void theBordersAreWhereTheyAre() {
        assertEquals(5, Bounds.number("n", 5, 5, 5));
        assertThrows(IllegalArgumentException.class, () -> Bounds.number("n", 4, 5, 5));
        assertThrows(IllegalArgumentException.class, () -> Bounds.number("n", 1L << 32 | 5, 5, 5));
        assertEquals(2, Bounds.index("i", 2, 3));
        assertThrows(IllegalArgumentException.class, () -> Bounds.index("i", 3, 3));
        assertThrows(IllegalArgumentException.class, () -> Bounds.index("i", -1, 3));
        assertEquals(0, Bounds.count("c", 0, 4, -1 + 1));
        assertEquals(3, Bounds.place("p", 3, 0, 3));
        assertEquals(1, Bounds.elements("scalar", List.of(), 1));
        assertEquals(0, Bounds.elements("empty", List.of(1L << 40, 1L << 40, 0L), 5));
    }

    @Test
    void theMessageHasWhatWasFoundAndWhatIsThere() {
        IllegalArgumentException refused =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Bounds.count("values of x", Integer.MAX_VALUE, 4, 23));
        assertEquals(
                "values of x: there are said to be 2147483647 of at least 4 bytes each, but 23"
                        + " bytes are left",
                refused.getMessage());
    }

    private static void requireAllowed(
            boolean allowed, long value, java.util.function.Supplier<Number> check) {
        if (allowed) {
            assertEquals(value, check.get().longValue());
        } else {
            assertTrue(
                    assertThrows(IllegalArgumentException.class, check::get).getMessage().length()
                            > 0);
        }
    }

    private static BigInteger big(long value) {
        return BigInteger.valueOf(value);
    }

    @Provide
    Arbitrary<Long> sizes() {
        return Arbitraries.oneOf(
                Arbitraries.longs().between(-2, 20),
                Arbitraries.longs(),
                Arbitraries.of(
                        (long) Integer.MAX_VALUE,
                        Integer.MAX_VALUE + 1L,
                        1L << 32,
                        Long.MAX_VALUE,
                        Long.MIN_VALUE));
    }

    @Provide
    Arbitrary<Long> positive() {
        return Arbitraries.of(1L, 2L, 4L, 7L, 1L << 33, Long.MAX_VALUE);
    }

    @Provide
    Arbitrary<List<Long>> shapes() {
        return Arbitraries.oneOf(
                sizes().list().ofMaxSize(4),
                Arbitraries.longs().between(0, 9).list().ofMaxSize(4),
                Arbitraries.of(
                        Arrays.asList(1L << 32, 1L << 32),
                        Arrays.asList(1L << 62, 4L),
                        Arrays.asList(2147483647L, 2147483647L, 2147483647L)));
    }
}
