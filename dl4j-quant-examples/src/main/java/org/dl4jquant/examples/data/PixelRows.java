// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** Images as sequences of their rows, from the top one to the bottom one. */
public final class PixelRows {

    private PixelRows() {}

    /**
     * Makes an iterator over images return sequences.
     *
     * @param images returns features of shape [examples, 1, rows, columns]
     * @return the same iterator, whose features have the shape [examples, columns, rows]
     */
    public static DataSetIterator of(DataSetIterator images) {
        images.setPreProcessor(
                data -> {
                    INDArray pixels = data.getFeatures();
                    long[] shape = {pixels.size(0), pixels.size(2), pixels.size(3)};
                    data.setFeatures(pixels.reshape(shape).permute(0, 2, 1).dup('c'));
                });
        return images;
    }
}
