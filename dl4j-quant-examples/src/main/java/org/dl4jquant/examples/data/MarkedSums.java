// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.dl4jquant.check.Require;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Sequences of numbers, two of which are marked; their sum is to be named: the adding problem, with
 * classes.
 *
 * <p>Each step has two channels: a number in [0, 1], and the mark, 1 or 0. One mark stands in each
 * half of a sequence. A marked number is 0, 1/2 or 1 and some noise, the others are anything. The
 * sum of both, without the noise, is one of {@value #CLASSES} classes. So a network has to keep the
 * first marked number exactly enough until the second one comes, and to forget everything else.
 *
 * @see <a href="https://doi.org/10.1162/neco.1997.9.8.1735">Hochreiter and Schmidhuber, Long
 *     Short-Term Memory, 1997, section 5.4: the adding problem</a>
 */
public final class MarkedSums {

    /** Channels of each step: the number and the mark. */
    public static final int CHANNELS = 2;

    /** How many sums there are. */
    public static final int CLASSES = 5;

    private static final int LEVELS = 3;

    /* Sums of two noises have a deviation of 0.071, and half a class is 0.25 wide: about one
     * sequence in 2,000 lies beyond it. */
    private static final double NOISE = 0.05;

    private final List<DataSet> batches;
    private final int sequences;

    private MarkedSums(List<DataSet> batches, int sequences) {
        this.batches = batches;
        this.sequences = sequences;
    }

    /**
     * Draws sequences; the same seed and numbers draw the same ones.
     *
     * @param seed decides over everything
     * @param sequences how many, above 0
     * @param steps how long each is, 2 or more
     * @param batch how many an iterator hands out at a time, above 0
     * @return the sequences
     */
    public static MarkedSums draw(long seed, int sequences, int steps, int batch) {
        Require.argument(sequences > 0, "%d sequences; one at least is needed", sequences);
        Require.argument(
                steps >= 2, "sequences of %d steps; two at least are needed for two marks", steps);
        Require.argument(batch > 0, "batches of %d sequences; one at least is needed", batch);
        SplittableRandom random = new SplittableRandom(seed);
        List<DataSet> batches = new ArrayList<>();
        for (int from = 0; from < sequences; from += batch) {
            batches.add(drawBatch(random, Math.min(batch, sequences - from), steps));
        }
        return new MarkedSums(batches, sequences);
    }

    private static DataSet drawBatch(SplittableRandom random, int sequences, int steps) {
        float[][][] values = new float[sequences][CHANNELS][steps];
        float[][] labels = new float[sequences][CLASSES];
        for (int i = 0; i < sequences; i++) {
            for (int t = 0; t < steps; t++) {
                values[i][0][t] = (float) random.nextDouble();
            }
            int sum = mark(values[i], random.nextInt(0, steps / 2), random);
            sum += mark(values[i], random.nextInt(steps / 2, steps), random);
            labels[i][sum] = 1;
        }
        INDArray features = Nd4j.create(values).castTo(DataType.FLOAT);
        return new DataSet(features, Nd4j.create(labels));
    }

    private static int mark(float[][] sequence, int step, SplittableRandom random) {
        int level = random.nextInt(LEVELS);
        sequence[0][step] = (float) ((double) level / (LEVELS - 1) + NOISE * random.nextGaussian());
        sequence[1][step] = 1;
        return level;
    }

    /** {@return how many sequences there are} */
    public int size() {
        return sequences;
    }

    /** {@return how many batches an iterator hands out} */
    public int batches() {
        return batches.size();
    }

    /**
     * {@return an iterator over all sequences in one order; features [sequences, 2, steps], labels
     * [sequences, 5]}
     */
    public DataSetIterator inOrder() {
        return new ExistingDataSetIterator(batches);
    }
}
