// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

class MarkedSumsTest {

    private static final int STEPS = 9;

    private static DataSet all(MarkedSums sums) {
        DataSetIterator iterator = sums.inOrder();
        DataSet only = iterator.next();
        assertTrue(!iterator.hasNext());
        return only;
    }

    @Test
    void theLabelIsTheSumOfTheMarkedNumbersInHalves() {
        DataSet data = all(MarkedSums.draw(3, 600, STEPS, 600));
        int[] classes = new int[MarkedSums.CLASSES];
        int far = 0;
        for (int i = 0; i < 600; i++) {
            double sum = 0;
            for (int t = 0; t < STEPS; t++) {
                sum +=
                        data.getFeatures().getDouble(i, 0, t)
                                * data.getFeatures().getDouble(i, 1, t);
            }
            int label = data.getLabels().getRow(i).argMax().getInt(0);
            classes[label]++;
            far += Math.rint(2 * sum) == label ? 0 : 1;
        }
        assertTrue(far <= 2, "the noise moves " + far + " of 600 sums into another class");
        assertTrue(Arrays.stream(classes).min().getAsInt() > 30, Arrays.toString(classes));
    }

    @Test
    void eachHalfHasOneMark() {
        INDArray features = all(MarkedSums.draw(4, 50, STEPS, 50)).getFeatures();
        assertArrayEquals(new long[] {50, MarkedSums.CHANNELS, STEPS}, features.shape());
        for (int i = 0; i < 50; i++) {
            double first = 0;
            double second = 0;
            for (int t = 0; t < STEPS; t++) {
                double mark = features.getDouble(i, 1, t);
                assertTrue(mark == 0 || mark == 1);
                first += t < STEPS / 2 ? mark : 0;
                second += t < STEPS / 2 ? 0 : mark;
            }
            assertEquals(1, first);
            assertEquals(1, second);
        }
    }

    @Test
    void aSeedDecidesOverEverything() {
        DataSet one = all(MarkedSums.draw(5, 20, STEPS, 20));
        assertEquals(one, all(MarkedSums.draw(5, 20, STEPS, 20)));
        assertNotEquals(one.getFeatures(), all(MarkedSums.draw(6, 20, STEPS, 20)).getFeatures());
    }

    @Test
    void theLastBatchHasTheRest() {
        MarkedSums sums = MarkedSums.draw(5, 20, STEPS, 8);
        assertEquals(3, sums.batches());
        assertEquals(20, sums.size());
        DataSetIterator iterator = sums.inOrder();
        assertEquals(8, iterator.next().numExamples());
        assertEquals(8, iterator.next().numExamples());
        assertEquals(4, iterator.next().numExamples());
        assertTrue(!iterator.hasNext());
    }

    @Test
    void refusesNumbersThatCannotBe() {
        assertEquals(
                "0 sequences; one at least is needed",
                assertThrows(IllegalArgumentException.class, () -> MarkedSums.draw(1, 0, STEPS, 8))
                        .getMessage());
        assertEquals(
                "sequences of 1 steps; two at least are needed for two marks",
                assertThrows(IllegalArgumentException.class, () -> MarkedSums.draw(1, 8, 1, 8))
                        .getMessage());
        assertEquals(
                "batches of 0 sequences; one at least is needed",
                assertThrows(IllegalArgumentException.class, () -> MarkedSums.draw(1, 8, STEPS, 0))
                        .getMessage());
    }
}
