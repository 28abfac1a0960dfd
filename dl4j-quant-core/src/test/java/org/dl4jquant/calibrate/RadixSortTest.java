// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Arrays;
import java.util.Comparator;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The sort, against the JDK's. */
class RadixSortTest {

    @Property(tries = 300)
    void sortsByTheUpperHalfAndKeepsTheOrderOfEquals(@ForAll("numbers") long[] numbers) {
        long[] expected =
                Arrays.stream(numbers)
                        .boxed()
                        .sorted(Comparator.comparing(number -> number >>> Integer.SIZE))
                        .mapToLong(Long::longValue)
                        .toArray();
        assertArrayEquals(expected, RadixSort.byUpperHalf(numbers.clone()));
    }

    @Provide
    Arbitrary<long[]> numbers() {
        return Arbitraries.oneOf(
                        Arbitraries.longs().between(0, Long.MAX_VALUE),
                        Arbitraries.longs().between(0, 5L << Integer.SIZE))
                .array(long[].class)
                .ofMaxSize(200);
    }
}
