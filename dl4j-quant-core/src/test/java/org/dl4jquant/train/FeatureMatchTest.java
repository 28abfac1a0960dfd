// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.train.FeatureMatch.Kind;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class FeatureMatchTest {

    /* Central differences of a smooth function in float64 with steps of 1e-5 err by about 1e-9. */
    private static final double STEP = 1e-5;
    private static final double DIFFERENCE_ERROR = 1e-7;

    /* Sums of a few float64 products. */
    private static final double ROUNDING = 1e-12;

    private static FeatureMatch values(double weight) {
        return new FeatureMatch("conv", "relu", Kind.VALUES, weight);
    }

    private static FeatureMatch attention(double weight) {
        return new FeatureMatch("conv", "relu", Kind.ATTENTION, weight);
    }

    private static INDArray doubles(double[] values, long... shape) {
        return Nd4j.create(values, shape, DataType.DOUBLE);
    }

    @Test
    void valuesCostTheirMeanSquaredDifference() {
        INDArray mine = doubles(new double[] {1, 2, 3, 4, 0, 0, 0, 0}, 2, 4);
        INDArray wanted = doubles(new double[] {1, 0, 3, 0, 0, 0, 0, 6}, 2, 4);

        FeatureMatch.Distance distance = values(0.5).distance(mine, wanted);

        // By hand: (4 + 16) / 4 / 2 and 36 / 4 / 2; gradients 2 * difference / 4 / 2.
        assertArrayEquals(new double[] {2.5, 4.5}, distance.losses().toDoubleVector(), ROUNDING);
        assertArrayEquals(
                new double[] {0, 0.5, 0, 1, 0, 0, 0, -1.5},
                distance.gradient().reshape(8).toDoubleVector(),
                ROUNDING);
    }

    @Test
    void attentionComparesDirectionsOfSquares() {
        // Squares summed over 2 channels: [9 + 0, 0 + 16] = [9, 16], at length 1 by sqrt(337).
        INDArray mine = doubles(new double[] {3, 0, 0, 4}, 1, 2, 1, 2);
        // One channel: [1, 0].
        INDArray wanted = doubles(new double[] {1, 0}, 1, 1, 1, 2);

        double norm = Math.sqrt(337);
        double x = 9 / norm - 1;
        double y = 16 / norm;

        assertEquals(
                3 * (x * x + y * y) / 2,
                attention(3).distance(mine, wanted).losses().getDouble(0),
                ROUNDING);
    }

    @Property(tries = 20)
    void gradientsAreThoseOfTheDistance(
            @ForAll @IntRange(min = 1, max = 1000) int seed, @ForAll Kind kind) {
        Nd4j.getRandom().setSeed(seed);
        INDArray mine = Nd4j.randn(DataType.DOUBLE, 2, 3, 2, 2);
        INDArray wanted = Nd4j.randn(DataType.DOUBLE, 2, 3, 2, 2);
        FeatureMatch match = new FeatureMatch("conv", "relu", kind, 0.7);
        INDArray gradient = match.distance(mine, wanted).gradient();

        for (long i = 0; i < mine.length(); i++) {
            double value = mine.getDouble(i);
            mine.putScalar(i, value + STEP);
            double more = match.distance(mine, wanted).losses().sumNumber().doubleValue();
            mine.putScalar(i, value - STEP);
            double less = match.distance(mine, wanted).losses().sumNumber().doubleValue();
            mine.putScalar(i, value);
            assertEquals((more - less) / (2 * STEP), gradient.getDouble(i), DIFFERENCE_ERROR);
        }
    }

    @Test
    void aDeadLayerHasNoAttentionAndNoNaN() {
        INDArray dead = Nd4j.zeros(DataType.DOUBLE, 1, 2, 2, 2);
        INDArray wanted = Nd4j.ones(DataType.DOUBLE, 1, 2, 2, 2);

        FeatureMatch.Distance distance = attention(1).distance(dead, wanted);

        assertEquals(0.5, distance.losses().getDouble(0), ROUNDING);
        assertEquals(0, distance.gradient().norm1Number().doubleValue());
    }

    @Test
    void refusesOtherShapes() {
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> values(1).distance(Nd4j.zeros(2, 3), Nd4j.zeros(2, 4)));

        assertEquals(
                "layer 'conv' has values of shape [2, 3], the teacher's 'relu' of [2, 4]; matching"
                        + " values needs the same shape; match other layers",
                e.getMessage());
    }

    @Test
    void refusesAttentionWithoutPlaces() {
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> attention(1).distance(Nd4j.zeros(2, 3), Nd4j.zeros(2, 3)));

        assertEquals(
                "layer 'conv' has values of shape [2, 3], the teacher's 'relu' of [2, 3]; matching"
                        + " attention needs channels and the same height and width; match other"
                        + " layers",
                e.getMessage());
    }

    @Test
    void refusesAWeightThatIsNotAboveZero() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> values(0));

        assertEquals(
                "matching layer 'conv' with the teacher's 'relu' has weight 0.0; it must be above 0"
                        + " and finite",
                e.getMessage());
    }
}
