// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Statistics of parts are those of the whole. */
final class TensorStatisticsTest {

    /* Sums of float64 in another order. */
    private static final double SUMMATION = 1e-9;

    @Property(tries = 100)
    void mergedStatisticsAreThoseOfAllValues(
            @ForAll("values") float[] first, @ForAll("values") float[] second) {
        TensorStatistics merged = Samples.seen(first);
        merged.merge(Samples.seen(second));
        float[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        TensorStatistics whole = Samples.seen(all);
        assertEquals(whole.count(), merged.count());
        assertEquals(whole.zeros(), merged.zeros());
        assertEquals(whole.min(), merged.min());
        assertEquals(whole.max(), merged.max());
        assertEquals(whole.histogram().width(), merged.histogram().width());
        assertArrayEquals(whole.histogram().counts(), merged.histogram().counts());
        assertEquals(whole.mean(), merged.mean(), SUMMATION * (1 + Math.abs(whole.mean())));
        assertEquals(whole.deviation(), merged.deviation(), SUMMATION * (1 + whole.deviation()));
        assertEquals(
                whole.meanMagnitude(),
                merged.meanMagnitude(),
                SUMMATION * (1 + whole.meanMagnitude()));
    }

    @Property(tries = 100)
    void everyBinHoldsTheValuesBetweenItsEdges(@ForAll("values") float[] values) {
        Histogram histogram = Samples.seen(values).histogram();
        long[] expected = new long[2 * Histogram.SIDE];
        for (float value : values) {
            expected[(int) Math.floor(value / histogram.width()) + Histogram.SIDE]++;
        }
        assertArrayEquals(expected, histogram.counts());
    }

    @Provide
    Arbitrary<float[]> values() {
        Arbitrary<Float> near = Arbitraries.floats().between(-3, 3);
        Arbitrary<Float> far = Arbitraries.floats().between(-3000, 3000);
        return Arbitraries.oneOf(near, far).array(float[].class).ofMinSize(1).ofMaxSize(60);
    }

    @Test
    void meanAndDeviationAreThoseOfTheFormula() {
        TensorStatistics statistics = Samples.seen(1, 2, 3, -6);
        assertEquals(0, statistics.mean());
        assertEquals(Math.sqrt(12.5), statistics.deviation());
        assertEquals(3, statistics.meanMagnitude());
    }

    @Test
    void offsetAndLengthChooseAPartOfTheArray() {
        TensorStatistics statistics = new TensorStatistics("x");
        statistics.add(new float[] {100, 1, 2, -100}, 1, 2);
        assertEquals(2, statistics.count());
        assertEquals(1, statistics.min());
        assertEquals(2, statistics.max());
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void refusesAValueThatIsNotFiniteAndAddsNothing(float bad) {
        TensorStatistics statistics = Samples.seen(1);
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> statistics.add(new float[] {0, 5, bad}, 0, 3))
                        .getMessage();
        assertEquals(
                "tensor 'x' holds "
                        + bad
                        + " at element 2; every value must be finite: check the data and the"
                        + " network's weights",
                message);
        assertEquals(1, statistics.count());
        assertEquals(1, statistics.max());
    }

    @Test
    void zerosOfEitherSignAreCounted() {
        assertEquals(2, Samples.seen(0, 1, -0.0f, Float.MIN_VALUE).zeros());
    }

    @Test
    void countsDoNotStopWhereFloatsWould() {
        Histogram histogram = new Histogram();
        histogram.add(new float[] {1}, 0, 1, 1);
        for (int doubling = 0; doubling < 40; doubling++) {
            Histogram copy = new Histogram();
            copy.add(histogram);
            histogram.add(copy);
        }
        histogram.add(new float[] {1}, 0, 1, 1);
        assertEquals((1L << 40) + 1, Arrays.stream(histogram.counts()).sum());
    }
}
