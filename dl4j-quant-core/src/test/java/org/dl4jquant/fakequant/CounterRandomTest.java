// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

/** The oracle is {@link SplittableRandom}, the reference form of the generator. */
final class CounterRandomTest {

    private static final int COUNT = 20;

    @Property(tries = 50)
    void theBitsAreThoseOfTheReference(@ForAll long key) {
        SplittableRandom reference = new SplittableRandom(key);
        CounterRandom draws = new CounterRandom(key);
        for (int i = 0; i < COUNT; i++) {
            assertEquals(reference.nextLong(), draws.bits(i));
        }
    }

    @Property(tries = 50)
    void drawsAreThoseOfTheReferencesNumbers(
            @ForAll long key, @ForAll @DoubleRange(min = 0, max = 1) double probability) {
        SplittableRandom reference = new SplittableRandom(key);
        CounterRandom draws = new CounterRandom(key);
        for (int i = 0; i < COUNT; i++) {
            double number = reference.nextDouble();
            assertEquals(number < probability ? 1 : 0, draws.below(i, probability));
        }
    }

    @Property(tries = 50)
    void nothingIsBelowZeroAndAllIsBelowOne(@ForAll long key) {
        assertEquals(0, new CounterRandom(key).below(0, 0));
        assertEquals(0, new CounterRandom(key).below(0, Double.NaN));
        assertEquals(1, new CounterRandom(key).below(0, 1));
    }

    @Test
    void theNumbersDependOnSeedTensorIterationAndElement() {
        CounterRandom draws = CounterRandom.of(1, "conv1/output", 5);
        assertEquals(draws, CounterRandom.of(1, "conv1/output", 5));
        assertNotEquals(draws, CounterRandom.of(2, "conv1/output", 5));
        assertNotEquals(draws, CounterRandom.of(1, "conv2/output", 5));
        assertNotEquals(draws, CounterRandom.of(1, "conv1/output", 6));
        assertNotEquals(draws.bits(0), draws.bits(1));
    }
}
