// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Draws a small share of the training data, the same share of each class.
 *
 * <p>Equal data in equal order and an equal seed give an equal share. The data are read once, and
 * only what is drawn stays in memory.
 */
public final class TrainingShare {

    /* Each class is cut into stretches of 1 / share examples, in the order in which they come, and
     * of each stretch one example is drawn: so a class gives its share, rounded up, although nobody
     * knows in advance how many examples it has. */

    /* A product such as 300 * 0.01 may be a little above 3. */
    private static final double ROUNDING_ERROR = 1e-9;

    private final double share;
    private final Random random;
    private final Map<Integer, Stretch> stretches = new TreeMap<>();
    private final List<DataSet> drawn = new ArrayList<>();

    /** The current stretch of one class. */
    private static final class Stretch {
        private long examples;
        private long index;
        private int length;
        private @Nullable DataSet candidate;
    }

    private TrainingShare(double share, long seed) {
        this.share = share;
        this.random = new Random(seed);
    }

    /**
     * Draws examples.
     *
     * @param data the training data, in batches; classes are told by the largest label of an
     *     example, and data without classes (labels of rank 3 or more, or of one column) count as
     *     one class; read from the start if it can be reset
     * @param share of each class, above 0, at most 1; rounded up to whole examples
     * @param seed of the choice and of the order
     * @return single examples in random order, copies
     * @throws IllegalArgumentException if the share is not in its range, or there are no data or no
     *     labels
     */
    public static List<DataSet> of(DataSetIterator data, double share, long seed) {
        Require.given(data, "data");
        Require.argument(
                share > 0 && share <= 1,
                "a share of %s of the training data; it must be above 0 and at most 1, such as"
                        + " 0.01 for 1 %%",
                share);
        TrainingShare drawing = new TrainingShare(share, seed);
        if (data.resetSupported()) {
            data.reset();
        }
        Detached.run(
                () -> {
                    while (data.hasNext()) {
                        labelled(data.next()).asList().forEach(drawing::offer);
                    }
                });
        return drawing.finish();
    }

    private static DataSet labelled(DataSet batch) {
        Require.argument(
                batch.getLabels() != null,
                "the training data have no labels, which fine-tuning needs; use an iterator with"
                        + " labels");
        return batch;
    }

    private void offer(DataSet example) {
        Stretch stretch = stretches.computeIfAbsent(classOf(example), key -> new Stretch());
        stretch.examples++;
        long index = (long) Math.ceil(stretch.examples * share - ROUNDING_ERROR);
        if (index != stretch.index) {
            close(stretch);
            stretch.index = index;
        }
        stretch.length++;
        if (random.nextInt(stretch.length) == 0) {
            stretch.candidate = example.copy();
        }
    }

    private static int classOf(DataSet example) {
        boolean classes = example.getLabels().rank() == 2 && example.getLabels().size(1) > 1;
        return classes ? example.getLabels().argMax(1).getInt(0) : 0;
    }

    private void close(Stretch stretch) {
        if (stretch.candidate != null) {
            drawn.add(stretch.candidate);
        }
        stretch.candidate = null;
        stretch.length = 0;
    }

    private List<DataSet> finish() {
        stretches.values().forEach(this::close);
        Require.argument(
                !drawn.isEmpty(),
                "the training data are empty; give the data that the network was trained on");
        Collections.shuffle(drawn, random);
        return List.copyOf(drawn);
    }
}
