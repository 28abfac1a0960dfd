// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/**
 * Digits drawn in code: a data set that needs no file and is the same on every machine.
 *
 * <p>Each image is a digit's strokes in one of several ways of writing it, bent, turned, sheared,
 * stretched, moved, inked with a pen of some width on paper with noise and stray marks, as 28 x 28
 * grey pixels, ink bright. They are meant to be harder than MNIST: a small convolutional network
 * gets about 98 of 100 right.
 */
public final class StrokeDigits {

    /* Every random number comes from java.util.Random, whose algorithm is part of its contract, and
     * every function that is not exact by itself from StrictMath; Java 17 computes float and double
     * strictly. So no byte depends on the machine. */

    private static final int DIGITS = 10;
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private StrokeDigits() {}

    /**
     * {@return images of the digits 0 to 9 in turn}
     *
     * @param seed decides over every pixel; another seed gives other images
     * @param count how many, above 0
     */
    public static LabelledImages generate(long seed, int count) {
        Require.argument(count > 0, "%d digits are asked for; ask for one at least", count);
        int size = Canvas.SIZE * Canvas.SIZE;
        byte[] pixels = new byte[count * size];
        byte[] labels = new byte[count];
        for (int i = 0; i < count; i++) {
            int digit = i % DIGITS;
            labels[i] = (byte) digit;
            byte[] image = draw(digit, new Random(seed + i * GOLDEN_GAMMA));
            System.arraycopy(image, 0, pixels, i * size, size);
        }
        return LabelledImages.of(Shape.of(1, Canvas.SIZE, Canvas.SIZE), pixels, labels, names());
    }

    /**
     * {@return some digits to train with and others to test with}
     *
     * @param seed decides over every pixel
     * @param trainCount how many to train with, above 0
     * @param testCount how many to test with, above 0
     */
    public static TrainTest split(long seed, int trainCount, int testCount) {
        Random seeds = new Random(seed);
        return new TrainTest(
                generate(seeds.nextLong(), trainCount), generate(seeds.nextLong(), testCount));
    }

    private static List<String> names() {
        return IntStream.range(0, DIGITS).mapToObj(String::valueOf).toList();
    }

    private static byte[] draw(int digit, Random random) {
        List<Stroke> strokes = new Glyphs(random).strokes(digit);
        Distortion distortion = Distortion.random(random);
        Canvas canvas = new Canvas(random);
        canvas.ink(strokes.stream().map(distortion::apply).toList());
        canvas.soil();
        return canvas.develop();
    }
}
