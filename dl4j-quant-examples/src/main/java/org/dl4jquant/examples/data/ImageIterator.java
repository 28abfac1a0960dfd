// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Hands images to DL4J, in order or in a new order after each reset.
 *
 * <p>java.util.Random's algorithm is part of its contract, so the orders are the same everywhere.
 */
final class ImageIterator implements DataSetIterator {

    private final LabelledImages images;
    private final int batchSize;
    private final int[] order;
    private final @Nullable Random random;
    private @Nullable DataSetPreProcessor preProcessor;
    private int position;

    ImageIterator(LabelledImages images, int batchSize, @Nullable Long seed) {
        Require.argument(batchSize > 0, "the batch size %d is not above 0", batchSize);
        this.images = images;
        this.batchSize = batchSize;
        this.order = IntStream.range(0, images.size()).toArray();
        this.random = seed == null ? null : new Random(seed);
        shuffle();
    }

    private void shuffle() {
        if (random == null) {
            return;
        }
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
    }

    @Override
    public DataSet next() {
        return next(batchSize);
    }

    @Override
    public DataSet next(int count) {
        if (!hasNext()) {
            throw new NoSuchElementException("all " + order.length + " images have been read");
        }
        int size = Math.min(count, order.length - position);
        Shape shape = images.shape();
        float[] values = new float[size * shape.elements()];
        INDArray labels = Nd4j.zeros(size, totalOutcomes());
        for (int i = 0; i < size; i++) {
            int index = order[position + i];
            images.copyValues(index, values, i * shape.elements());
            labels.putScalar(i, images.label(index), 1);
        }
        position += size;
        DataSet batch =
                new DataSet(
                        Nd4j.create(values, size, shape.size(0), shape.size(1), shape.size(2)),
                        labels);
        if (preProcessor != null) {
            preProcessor.preProcess(batch);
        }
        return batch;
    }

    @Override
    public boolean hasNext() {
        return position < order.length;
    }

    @Override
    public void reset() {
        position = 0;
        shuffle();
    }

    @Override
    public boolean resetSupported() {
        return true;
    }

    /* A second thread that fills batches ahead would compete with ND4J for the cores. */
    @Override
    public boolean asyncSupported() {
        return false;
    }

    @Override
    public int batch() {
        return batchSize;
    }

    @Override
    public int inputColumns() {
        return images.shape().elements();
    }

    @Override
    public int totalOutcomes() {
        return images.classes().size();
    }

    @Override
    public List<String> getLabels() {
        return images.classes();
    }

    @Override
    public void setPreProcessor(@Nullable DataSetPreProcessor preProcessor) {
        this.preProcessor = preProcessor;
    }

    @Override
    public @Nullable DataSetPreProcessor getPreProcessor() {
        return preProcessor;
    }
}
