// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** Draws normalizations of all kinds. */
final class NormalizeNodes {

    private static final double[] POWERS = {0.75, 0.5, 1, 0.25, 2, 1.5, 0.7, 3.3};

    private NormalizeNodes() {}

    static IntNode draw(RandomNodes nodes, LaterNodes.Place at) {
        Shape shape = at.type().shape();
        QuantParams codes = at.type().codes();
        Random random = nodes.random();
        int axis = random.nextInt(shape.rank());
        int axes = 1 + random.nextInt(shape.rank() - axis);
        Normalize.Span span = Normalize.Span.whole(axis, axes);
        int length = span.length(shape);
        float size = 1f / 40;
        Normalization formula;
        switch (random.nextInt(3)) {
            case 0 -> {
                double epsilon = random.nextBoolean() ? 0 : 1e-3 * codes.scale() * codes.scale();
                formula =
                        Normalization.ofLayer(
                                epsilon,
                                length,
                                codes.scale(),
                                places(random, length),
                                places(random, length));
            }
            case 1 -> {
                formula = Normalization.byLength(1e-8, codes.scale());
                size = (float) (1 / Math.sqrt(length) / 50);
            }
            default -> {
                double alpha = random.nextDouble() / codes.scale() / codes.scale() / length / 1e4;
                double power = POWERS[random.nextInt(POWERS.length)];
                formula = Normalization.local(1 + random.nextDouble(), alpha, power, codes.scale());
                size = codes.scale() * 0.6f;
                if (random.nextInt(3) > 0) {
                    span = new Normalize.Span(axis, 1, random.nextInt(4));
                }
            }
        }
        return new Normalize(
                at.name(),
                at.input(),
                span,
                formula,
                nodes.bounded(nodes.params(nodes.near(size))));
    }

    private static List<Float> places(Random random, int length) {
        int count =
                switch (random.nextInt(3)) {
                    case 0 -> 0;
                    case 1 -> 1;
                    default -> length;
                };
        List<Float> places = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            places.add((float) random.nextGaussian());
        }
        return places;
    }
}
