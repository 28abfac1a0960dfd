// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** The oracle is {@link SplittableRandom}, the reference form of the generator. */
final class DrawsTest {

    private static final int COUNT = 20;

    @Property(tries = 50)
    void theBitsAreThoseOfTheReference(@ForAll long key) {
        SplittableRandom reference = new SplittableRandom(key);
        Draws draws = new Draws(key);
        for (int i = 0; i < COUNT; i++) {
            assertEquals(reference.nextLong(), draws.bits(i));
        }
    }

    @Property(tries = 50)
    void theNumbersLieFromZeroToBelowOne(@ForAll long key) {
        Draws draws = new Draws(key);
        for (int i = 0; i < COUNT; i++) {
            double number = draws.number(i);
            assertTrue(number >= 0 && number < 1, () -> "drew " + number);
        }
    }

    @Test
    void theNumbersDependOnSeedTensorIterationAndElement() {
        Draws draws = Draws.of(1, "conv1/output", 5);
        assertEquals(draws, Draws.of(1, "conv1/output", 5));
        assertNotEquals(draws, Draws.of(2, "conv1/output", 5));
        assertNotEquals(draws, Draws.of(1, "conv2/output", 5));
        assertNotEquals(draws, Draws.of(1, "conv1/output", 6));
        assertNotEquals(draws.number(0), draws.number(1));
    }
}
