// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

final class StrokeDigitsTest {

    /* SHA-256 of the pixels below. Reached on x86-64 Linux with JDK 17 by this test itself: it keeps
     * the data set from changing unnoticed, and shows that another machine draws the same. */
    private static final String GOLDEN =
            "d8ba1c036f7e2db89249b71b6e80ffa18a405f9ddde8aed65c00efd0bbb3c056";

    @Test
    void thePixelsAreTheSameOnEveryMachine() throws NoSuchAlgorithmException {
        LabelledImages digits = StrokeDigits.generate(42, 200);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (float value : digits.batch(0, digits.size()).values()) {
            digest.update((byte) Math.round(255 * value));
        }
        assertEquals(GOLDEN, HexFormat.of().formatHex(digest.digest()));
    }

    @Test
    void everyDigitComesInTurn() {
        LabelledImages digits = StrokeDigits.generate(1, 23);
        assertEquals(Shape.of(1, 28, 28), digits.shape());
        assertEquals(10, digits.classes().size());
        for (int i = 0; i < digits.size(); i++) {
            assertEquals(i % 10, digits.label(i));
        }
    }

    @Property(tries = 20)
    void aLongerSetBeginsWithTheShorterOne(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 9) int n) {
        assertEquals(StrokeDigits.generate(seed, n), StrokeDigits.generate(seed, 10).first(n));
    }

    @Test
    void anotherSeedDrawsOtherDigits() {
        assertNotEquals(StrokeDigits.generate(1, 10), StrokeDigits.generate(2, 10));
    }

    @Test
    void noDigitIsInBothParts() {
        TrainTest parts = StrokeDigits.split(5, 50, 20);
        assertEquals(50, parts.train().size());
        assertEquals(20, parts.test().size());
        assertNotEquals(parts.train().first(20), parts.test());
    }

    /* Whatever the distortion, a digit is neither a blank nor a blot. */
    @Test
    void everyImageHasInkAndPaper() {
        LabelledImages digits = StrokeDigits.generate(3, 500);
        for (int i = 0; i < digits.size(); i++) {
            double mean = 0;
            float brightest = 0;
            for (float value : digits.batch(i, i + 1).values()) {
                mean += value / digits.shape().elements();
                brightest = Math.max(brightest, value);
            }
            assertTrue(mean > 0.02 && mean < 0.5 && brightest > 0.5, i + ": mean " + mean);
        }
    }

    @Test
    void refusesToDrawNothing() {
        assertEquals(
                "0 digits are asked for; ask for one at least",
                assertThrows(IllegalArgumentException.class, () -> StrokeDigits.generate(1, 0))
                        .getMessage());
    }

    @Test
    void aGlyphThatIsNoDigitIsRefused() {
        assertEquals(
                "10 is no digit: use 0 to 9",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new Glyphs(new Random(1)).strokes(10))
                        .getMessage());
    }
}
