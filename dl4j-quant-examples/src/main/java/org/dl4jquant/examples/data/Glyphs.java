// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.List;
import java.util.Random;
import org.dl4jquant.check.Require;

/**
 * The digits as strokes in the square from (-1, -1) to (1, 1), y downwards, each in several ways of
 * writing it and never twice with the same proportions.
 */
final class Glyphs {

    private static final double SPREAD = 0.12;

    private final Random random;

    Glyphs(Random random) {
        this.random = random;
    }

    List<Stroke> strokes(int digit) {
        Pen pen = new Pen();
        switch (digit) {
            case 0 -> zero(pen);
            case 1 -> one(pen);
            case 2 -> two(pen);
            case 3 -> three(pen);
            case 4 -> four(pen);
            case 5 -> five(pen);
            case 6 -> six(pen);
            case 7 -> seven(pen);
            case 8 -> eight(pen);
            case 9 -> nine(pen);
            default -> Require.argument(false, "%d is no digit: use 0 to 9", digit);
        }
        return pen.strokes();
    }

    /* A number near the given one: what makes two digits of one hand differ. */
    private double near(double value) {
        return value + SPREAD * (2 * random.nextDouble() - 1);
    }

    private boolean sometimes(double probability) {
        return random.nextDouble() < probability;
    }

    private void zero(Pen pen) {
        double start = -90 + 60 * near(0);
        double gap = sometimes(0.3) ? 200 * near(0.1) : 0;
        pen.arc(0, 0, near(0.62), near(0.95), start, start - 360 + gap);
    }

    private void one(Pen pen) {
        double top = near(0);
        double bottom = near(0);
        if (sometimes(0.5)) {
            pen.moveTo(top - near(0.3), near(-0.6)).lineTo(top, -0.95);
        } else {
            pen.moveTo(top, -0.95);
        }
        pen.lineTo(bottom, 0.95);
        if (sometimes(0.3)) {
            pen.moveTo(near(-0.4), 0.95).lineTo(near(0.4), 0.95);
        }
    }

    private void two(Pen pen) {
        double bowl = near(0.5);
        double right = near(0.6);
        pen.arc(0, bowl - 0.95, right, bowl, near(0) * 120 - 180, 20);
        if (sometimes(0.35)) {
            pen.lineTo(near(-0.5), near(0.75))
                    .arc(near(-0.35), near(0.75), 0.22, 0.2, 160, 400)
                    .lineTo(near(0.7), near(0.9));
        } else {
            pen.lineTo(near(-0.6), 0.95).lineTo(near(0.65), near(0.95));
        }
    }

    private void three(Pen pen) {
        double waist = near(-0.05);
        double upper = (waist + 0.95) / 2;
        double lower = (0.95 - waist) / 2;
        if (sometimes(0.25)) {
            pen.moveTo(near(-0.55), -0.95).lineTo(near(0.5), -0.95).lineTo(near(-0.05), waist);
        } else {
            pen.arc(-0.05, waist - upper, near(0.5), upper, near(0) * 120 - 160, 90);
        }
        pen.arc(-0.05, waist + lower, near(0.6), lower, -90, 150 + 120 * near(0));
    }

    private void four(Pen pen) {
        double bar = near(0.3);
        double stem = near(0.3);
        if (sometimes(0.5)) {
            pen.moveTo(stem, -0.95).lineTo(near(-0.65), bar).lineTo(near(0.7), bar);
            pen.moveTo(stem, -0.95).lineTo(near(0.3), 0.95);
        } else {
            pen.moveTo(near(-0.5), near(-0.9)).lineTo(near(-0.55), bar).lineTo(near(0.65), bar);
            pen.moveTo(stem, near(-0.75)).lineTo(near(0.25), 0.95);
        }
    }

    private void five(Pen pen) {
        double corner = near(-0.5);
        double belly = near(-0.15);
        double radius = (0.95 - belly) / 2;
        pen.moveTo(near(0.55), -0.95).lineTo(corner, -0.95).lineTo(corner + 0.1 * near(0), belly);
        pen.arc(near(-0.1), belly + radius, near(0.65), radius, -115, 150 + 120 * near(0));
    }

    private void six(Pen pen) {
        double loop = near(0.42);
        double left = near(-0.55);
        double width = near(0.5);
        pen.moveTo(near(0.35), near(-0.9));
        if (sometimes(0.5)) {
            pen.lineTo(left + 0.2, near(-0.3));
        } else {
            pen.arc(near(0.3), 0.1, near(0.3) - left, near(1.0), -100, -170);
        }
        pen.arc(left + width, 0.95 - loop, width, loop, -180, -540 + 60 * near(0));
    }

    private void seven(Pen pen) {
        double right = near(0.6);
        if (sometimes(0.2)) {
            pen.moveTo(near(-0.6), near(-0.65)).lineTo(near(-0.55), -0.95);
        } else {
            pen.moveTo(near(-0.6), -0.95);
        }
        pen.lineTo(right, near(-0.95)).lineTo(near(-0.15), 0.95);
        if (sometimes(0.35)) {
            pen.moveTo(near(-0.25), near(0.05)).lineTo(near(0.45), near(0));
        }
    }

    private void eight(Pen pen) {
        double waist = near(-0.08);
        double upper = (waist + 0.95) / 2;
        double lower = (0.95 - waist) / 2;
        double slip = 200 * near(0);
        pen.arc(0.5 * near(0), waist - upper, near(0.45), upper, 90 - slip, 450);
        pen.arc(0.5 * near(0), waist + lower, near(0.58), lower, -90, 270 - slip);
    }

    private void nine(Pen pen) {
        double loop = near(0.45);
        double right = near(0.5);
        pen.arc(right - 0.5, loop - 0.95, 0.5, loop, -20 + 60 * near(0), -360);
        if (sometimes(0.5)) {
            pen.lineTo(near(0.35), 0.95);
        } else {
            pen.lineTo(right, near(0.1)).arc(right - 0.55, near(0.35), 0.55, 0.6, 0, 130);
        }
    }
}
