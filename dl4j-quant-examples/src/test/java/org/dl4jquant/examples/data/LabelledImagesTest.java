// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

final class LabelledImagesTest {

    private static final Shape SHAPE = Shape.of(1, 1, 2);
    private static final List<String> CLASSES = List.of("cat", "dog");

    /* Image i is the pixels 10 i and 10 i + 1; odd ones are dogs. */
    private static LabelledImages images(int count) {
        byte[] pixels = new byte[2 * count];
        byte[] labels = new byte[count];
        for (int i = 0; i < count; i++) {
            pixels[2 * i] = (byte) (10 * i);
            pixels[2 * i + 1] = (byte) (10 * i + 1);
            labels[i] = (byte) (i % 2);
        }
        return LabelledImages.of(SHAPE, pixels, labels, CLASSES);
    }

    @Test
    void aPixelIsItsByteOver255() {
        LabelledImages white =
                LabelledImages.of(SHAPE, new byte[] {(byte) 255, 51}, new byte[1], CLASSES);
        assertArrayEquals(new float[] {1, 0.2f}, white.batch(0, 1).values());
    }

    @Test
    void dl4jGetsImagesAndOneHotLabelsInOrder() {
        DataSetIterator iterator = images(5).inOrder(2);
        DataSet first = iterator.next();
        assertArrayEquals(new long[] {2, 1, 1, 2}, first.getFeatures().shape());
        assertEquals(11 / 255f, first.getFeatures().getFloat(1, 0, 0, 1));
        assertArrayEquals(new float[] {1, 0, 0, 1}, first.getLabels().data().asFloat());
        assertEquals(2, iterator.next().numExamples());
        assertEquals(1, iterator.next().numExamples());
        assertFalse(iterator.hasNext());
        assertThrows(NoSuchElementException.class, iterator::next);
        iterator.reset();
        assertEquals(first.getFeatures(), iterator.next().getFeatures());
        assertEquals(CLASSES, iterator.getLabels());
    }

    @Property(tries = 30)
    void shufflingKeepsEveryImageWithItsLabel(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 25) int count,
            @ForAll @IntRange(min = 1, max = 30) int batchSize) {
        DataSetIterator iterator = images(count).shuffled(batchSize, seed);
        for (int epoch = 0; epoch < 2; epoch++) {
            List<Integer> seen = new ArrayList<>();
            iterator.forEachRemaining(batch -> seen.addAll(numbers(batch)));
            assertEquals(count, seen.stream().distinct().count());
            assertEquals(count, seen.size());
            iterator.reset();
        }
    }

    @Test
    void everyEpochHasAnotherOrderAndTheSeedDecides() {
        DataSetIterator first = images(25).shuffled(25, 7);
        DataSetIterator again = images(25).shuffled(25, 7);
        List<Integer> order = numbers(first.next());
        assertEquals(order, numbers(again.next()));
        first.reset();
        again.reset();
        List<Integer> next = numbers(first.next());
        assertEquals(next, numbers(again.next()));
        assertNotEquals(order, next);
    }

    private static List<Integer> numbers(DataSet batch) {
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < batch.numExamples(); i++) {
            int number = Math.round(255 * batch.getFeatures().getFloat(i, 0, 0, 0)) / 10;
            assertEquals(1, batch.getLabels().getFloat(i, number % 2));
            numbers.add(number);
        }
        return numbers;
    }

    @Test
    void aPreProcessorSeesEveryBatch() {
        DataSetIterator iterator = images(1).inOrder(1);
        iterator.setPreProcessor(batch -> batch.setFeatures(batch.getFeatures().add(1)));
        assertEquals(1, iterator.next().getFeatures().getFloat(0));
    }

    @Test
    void theFirstImagesAreAtMostAllOfThem() {
        assertEquals(images(3), images(5).first(3));
        assertEquals(images(5), images(5).first(6));
    }

    @Test
    void refusesWhatDoesNotFitTogether() {
        refuses("shape [2] is not one of channels, height and width", Shape.of(2), 2, 0);
        refuses("there is no image", SHAPE, 0);
        refuses("2 labels need 4 bytes of pixels [1x1x2], but there are 3", SHAPE, 3, 0, 0);
        refuses("label 2 of image 1 is not below the number of classes, 2", SHAPE, 4, 0, 2);
    }

    private static void refuses(String message, Shape shape, int pixels, int... labels) {
        byte[] bytes = new byte[labels.length];
        for (int i = 0; i < labels.length; i++) {
            bytes[i] = (byte) labels[i];
        }
        assertEquals(
                message,
                assertThrows(
                                IllegalArgumentException.class,
                                () -> LabelledImages.of(shape, new byte[pixels], bytes, CLASSES))
                        .getMessage());
    }

    @Test
    void refusesAnEmptyBatchAndAnEmptyBeginning() {
        LabelledImages images = images(2);
        assertEquals(
                "the batch size 0 is not above 0",
                assertThrows(IllegalArgumentException.class, () -> images.inOrder(0)).getMessage());
        assertEquals(
                "0 images are asked for; ask for one at least",
                assertThrows(IllegalArgumentException.class, () -> images.first(0)).getMessage());
    }

    @Test
    void refusesToTestOnImagesOfAnotherKind() {
        LabelledImages wide =
                LabelledImages.of(Shape.of(1, 1, 4), new byte[4], new byte[1], CLASSES);
        assertEquals(
                "training has 1 images [1x1x2] of 2 classes and test has 1 images [1x1x4] of 2"
                        + " classes: size and classes must be the same",
                assertThrows(IllegalArgumentException.class, () -> new TrainTest(images(1), wide))
                        .getMessage());
    }
}
