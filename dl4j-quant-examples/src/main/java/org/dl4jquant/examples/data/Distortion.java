// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.Random;

/**
 * Bends strokes by a wave, then turns, shears, stretches and moves them: from the square of {@link
 * Glyphs} to pixels of the {@link Canvas}.
 */
final class Distortion {

    private static final double MAX_DEGREES = 15;
    private static final double MAX_SHEAR = 0.25;
    private static final double MIN_PIXELS_PER_UNIT = 7;
    private static final double MAX_PIXELS_PER_UNIT = 11;
    private static final double MAX_SHIFT_PIXELS = 2;
    private static final double MAX_BEND = 0.1;
    private static final double MIN_BEND_FREQUENCY = 1.5;
    private static final double MAX_BEND_FREQUENCY = 4;

    private final Wave acrossX;
    private final Wave acrossY;
    private final double xx;
    private final double xy;
    private final double yx;
    private final double yy;
    private final double shiftX;
    private final double shiftY;

    /**
     * A displacement of one coordinate that depends on the other.
     *
     * @param height the largest displacement
     * @param frequency radians per unit
     * @param phase radians
     */
    private record Wave(double height, double frequency, double phase) {

        static Wave random(Random random) {
            return new Wave(
                    between(random, -MAX_BEND, MAX_BEND),
                    between(random, MIN_BEND_FREQUENCY, MAX_BEND_FREQUENCY),
                    between(random, -StrictMath.PI, StrictMath.PI));
        }

        double at(double place) {
            return height * StrictMath.sin(frequency * place + phase);
        }
    }

    private Distortion(Random random) {
        acrossX = Wave.random(random);
        acrossY = Wave.random(random);
        double angle = StrictMath.toRadians(between(random, -MAX_DEGREES, MAX_DEGREES));
        double shear = between(random, -MAX_SHEAR, MAX_SHEAR);
        double width = between(random, MIN_PIXELS_PER_UNIT, MAX_PIXELS_PER_UNIT);
        double height = between(random, MIN_PIXELS_PER_UNIT, MAX_PIXELS_PER_UNIT);
        double cos = StrictMath.cos(angle);
        double sin = StrictMath.sin(angle);
        xx = width * cos;
        xy = width * cos * shear - height * sin;
        yx = width * sin;
        yy = width * sin * shear + height * cos;
        shiftX = Canvas.SIZE / 2.0 + between(random, -MAX_SHIFT_PIXELS, MAX_SHIFT_PIXELS);
        shiftY = Canvas.SIZE / 2.0 + between(random, -MAX_SHIFT_PIXELS, MAX_SHIFT_PIXELS);
    }

    static Distortion random(Random random) {
        return new Distortion(random);
    }

    private static double between(Random random, double low, double high) {
        return low + (high - low) * random.nextDouble();
    }

    Stroke apply(Stroke stroke) {
        return new Stroke(stroke.points().stream().map(this::apply).toList());
    }

    private Stroke.Point apply(Stroke.Point point) {
        double x = point.x() + acrossX.at(point.y());
        double y = point.y() + acrossY.at(point.x());
        return new Stroke.Point(shiftX + xx * x + xy * y, shiftY + yx * x + yy * y);
    }
}
