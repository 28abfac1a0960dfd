// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.ArrayList;
import java.util.List;

/** Writes strokes with lines and arcs, each begun where the last one ended. */
final class Pen {

    private static final double DEGREES_PER_STEP = 15;

    private final List<Stroke> strokes = new ArrayList<>();
    private final List<Stroke.Point> points = new ArrayList<>();

    Pen moveTo(double x, double y) {
        finish();
        points.add(new Stroke.Point(x, y));
        return this;
    }

    Pen lineTo(double x, double y) {
        points.add(new Stroke.Point(x, y));
        return this;
    }

    /**
     * Draws a piece of an ellipse, from the pen's place by a straight line if it does not begin
     * there. Angles are in degrees, 0 to the right, growing clockwise on the paper.
     */
    Pen arc(double x, double y, double radiusX, double radiusY, double from, double to) {
        int steps = Math.max(1, (int) Math.rint(Math.abs(to - from) / DEGREES_PER_STEP));
        for (int i = 0; i <= steps; i++) {
            double angle = StrictMath.toRadians(from + (to - from) * i / steps);
            points.add(
                    new Stroke.Point(
                            x + radiusX * StrictMath.cos(angle),
                            y + radiusY * StrictMath.sin(angle)));
        }
        return this;
    }

    /** Lifts the pen and returns all strokes. */
    List<Stroke> strokes() {
        finish();
        return List.copyOf(strokes);
    }

    private void finish() {
        if (!points.isEmpty()) {
            strokes.add(new Stroke(points));
            points.clear();
        }
    }
}
