// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

class TrainingShareTest {

    private static final int CLASSES = 3;
    private static final int BATCH = 7;

    /** Examples of these classes, whose only feature is their number. */
    private static DataSetIterator data(List<Integer> classes) {
        List<DataSet> examples = new ArrayList<>();
        for (int i = 0; i < classes.size(); i++) {
            DataSet example = new DataSet(Nd4j.create(1, 1), Nd4j.zeros(1, CLASSES));
            example.getFeatures().putScalar(0, i);
            example.getLabels().putScalar(0, classes.get(i), 1);
            examples.add(example);
        }
        return new ListDataSetIterator<>(examples, BATCH);
    }

    private static List<Integer> numbers(List<DataSet> drawn) {
        return drawn.stream().map(example -> example.getFeatures().getInt(0)).toList();
    }

    @Property(tries = 60)
    void drawsTheShareOfEachClassRoundedUp(
            @ForAll @Size(min = 1, max = 60) List<@IntRange(max = CLASSES - 1) Integer> classes,
            @ForAll @IntRange(min = 1, max = 8) int eighths) {
        List<DataSet> drawn = TrainingShare.of(data(classes), eighths / 8.0, 5);
        for (int label = 0; label < CLASSES; label++) {
            int wanted = label;
            long given = classes.stream().filter(one -> one == wanted).count();
            long found = numbers(drawn).stream().filter(i -> classes.get(i) == wanted).count();
            assertEquals((long) Math.ceil(given * eighths / 8.0), found);
        }
        Set<Integer> distinct = new HashSet<>(numbers(drawn));
        assertEquals(drawn.size(), distinct.size());
        for (DataSet example : drawn) {
            int label = classes.get(example.getFeatures().getInt(0));
            assertEquals(1, example.getLabels().getDouble(0, label));
        }
    }

    private static List<Integer> balanced() {
        List<Integer> classes = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            classes.add(i % CLASSES);
        }
        return classes;
    }

    @Test
    void drawsTheSameForTheSameSeedOnly() {
        DataSetIterator data = data(balanced());
        List<Integer> first = numbers(TrainingShare.of(data, 0.1, 1));
        assertEquals(first, numbers(TrainingShare.of(data, 0.1, 1)));
        assertNotEquals(
                new HashSet<>(first), new HashSet<>(numbers(TrainingShare.of(data, 0.1, 2))));
    }

    @Test
    void drawsFromAllOfTheDataInRandomOrder() {
        List<Integer> drawn = numbers(TrainingShare.of(data(balanced()), 0.1, 1));
        assertEquals(30, drawn.size());
        assertNotEquals(drawn.stream().sorted().toList(), drawn);
        for (int tenth = 0; tenth < 10; tenth++) {
            int from = tenth * 30;
            assertEquals(3, drawn.stream().filter(i -> i >= from && i < from + 30).count());
        }
    }

    @Test
    void takesSequencesAsOneClass() {
        DataSet sequences = new DataSet(Nd4j.rand(20, 2, 5), Nd4j.rand(20, CLASSES, 5));
        List<DataSet> drawn =
                TrainingShare.of(new ListDataSetIterator<>(sequences.asList(), 4), 0.25, 1);
        assertEquals(5, drawn.size());
        assertTrue(drawn.stream().allMatch(one -> one.getFeatures().rank() == 3));
    }

    @Test
    void refusesAShareOfNothing() {
        assertEquals(
                "a share of 0.0 of the training data; it must be above 0 and at most 1, such as 0.01"
                        + " for 1 %",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> TrainingShare.of(data(balanced()), 0, 1))
                        .getMessage());
    }

    @Test
    void refusesEmptyData() {
        assertEquals(
                "the training data are empty; give the data that the network was trained on",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> TrainingShare.of(data(List.of()), 0.5, 1))
                        .getMessage());
    }

    @Test
    void refusesDataWithoutLabels() {
        DataSetIterator data =
                new ExistingDataSetIterator(List.of(new DataSet(Nd4j.create(1, 2), null)));
        assertEquals(
                "the training data have no labels, which fine-tuning needs; use an iterator with"
                        + " labels",
                assertThrows(IllegalArgumentException.class, () -> TrainingShare.of(data, 0.5, 1))
                        .getMessage());
    }
}
