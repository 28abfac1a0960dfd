// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.List;
import java.util.Random;

/** A sheet of grey paper: takes ink with soft edges, stray marks and noise, and becomes bytes. */
final class Canvas {

    /** Pixels in each direction. */
    static final int SIZE = 28;

    private static final double WHITE = 255;
    private static final double MIN_RADIUS = 0.7;
    private static final double MAX_RADIUS = 1.75;
    private static final double MIN_CONTRAST = 0.55;
    private static final double MAX_NOISE = 0.15;
    private static final int MAX_MARKS = 2;
    private static final double MAX_MARK_LENGTH = 6;
    private static final int UNIFORMS_PER_NORMAL = 4;
    private static final double UNIFORM_SUM_TO_NORMAL = Math.sqrt(12.0 / UNIFORMS_PER_NORMAL);

    private final Random random;
    private final double radius;
    private final double contrast;
    private final double noise;
    private final double[] values = new double[SIZE * SIZE];

    /** Chooses a pen, a contrast and a paper. */
    Canvas(Random random) {
        this.random = random;
        radius = MIN_RADIUS + (MAX_RADIUS - MIN_RADIUS) * random.nextDouble();
        contrast = MIN_CONTRAST + (1 - MIN_CONTRAST) * random.nextDouble();
        noise = MAX_NOISE * random.nextDouble();
    }

    /** Inks strokes given in pixels; a pixel's middle lies half a pixel from its edge. */
    void ink(List<Stroke> strokes) {
        for (Stroke stroke : strokes) {
            for (int i = 1; i < stroke.points().size(); i++) {
                ink(stroke.points().get(i - 1), stroke.points().get(i));
            }
        }
    }

    /* Only pixels that the pen can reach are looked at. */
    private void ink(Stroke.Point from, Stroke.Point to) {
        double reach = radius + 1;
        int left = pixel(Math.min(from.x(), to.x()) - reach);
        int right = pixel(Math.max(from.x(), to.x()) + reach);
        int top = pixel(Math.min(from.y(), to.y()) - reach);
        int bottom = pixel(Math.max(from.y(), to.y()) + reach);
        for (int y = top; y <= bottom; y++) {
            for (int x = left; x <= right; x++) {
                double distance = new Stroke.Point(x + 0.5, y + 0.5).distanceToLine(from, to);
                double covered = Math.min(Math.max(radius + 0.5 - distance, 0), 1);
                int pixel = y * SIZE + x;
                values[pixel] = Math.max(values[pixel], contrast * covered);
            }
        }
    }

    private static int pixel(double place) {
        return (int) Math.min(Math.max(Math.floor(place), 0), SIZE - 1);
    }

    /** Adds a few short marks that belong to no digit. */
    void soil() {
        int marks = random.nextInt(MAX_MARKS + 1);
        for (int i = 0; i < marks; i++) {
            double x = SIZE * random.nextDouble();
            double y = SIZE * random.nextDouble();
            ink(new Pen().moveTo(x, y).lineTo(x + markLength(), y + markLength()).strokes());
        }
    }

    private double markLength() {
        return MAX_MARK_LENGTH * (2 * random.nextDouble() - 1);
    }

    /** Adds noise and returns the bytes, row by row, ink bright. */
    byte[] develop() {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            double value = Math.min(Math.max(values[i] + noise * normal(), 0), 1);
            bytes[i] = (byte) (int) Math.rint(WHITE * value);
        }
        return bytes;
    }

    /* The sum of 4 uniform numbers is nearly normal, and needs no logarithm. */
    private double normal() {
        double sum = 0;
        for (int i = 0; i < UNIFORMS_PER_NORMAL; i++) {
            sum += random.nextDouble() - 0.5;
        }
        return sum * UNIFORM_SUM_TO_NORMAL;
    }
}
