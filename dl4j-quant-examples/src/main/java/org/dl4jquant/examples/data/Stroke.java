// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.List;

/**
 * One movement of the pen: points joined by straight lines.
 *
 * @param points two at least
 */
record Stroke(List<Point> points) {

    Stroke {
        points = List.copyOf(points);
    }

    /**
     * A place on the paper.
     *
     * @param x to the right
     * @param y downwards
     */
    record Point(double x, double y) {

        /** Returns the distance of the nearest point of a straight line between two places. */
        double distanceToLine(Point from, Point to) {
            double dx = to.x - from.x;
            double dy = to.y - from.y;
            double length = dx * dx + dy * dy;
            double along = length == 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / length;
            double inside = Math.min(Math.max(along, 0), 1);
            double awayX = x - from.x - inside * dx;
            double awayY = y - from.y - inside * dy;
            return Math.sqrt(awayX * awayX + awayY * awayY);
        }
    }
}
