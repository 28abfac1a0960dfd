// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * What an embedding looks up: a row of its weights for each index, and NaN for an index that is
 * NaN, which DL4J takes for the index 0. Other indices without a row, and fractions, which DL4J
 * cuts off, are refused, as engines refuse them.
 */
public final class IndexLookup {

    private IndexLookup() {}

    /**
     * Runs an embedding.
     *
     * @param name its name
     * @param conf its configuration
     * @param inner DL4J's layer, which has the indices as its input
     * @param indices its input, [examples, 1] or [examples, steps]; not changed
     * @param training whether gradients will be asked for
     * @param mgr the workspaces
     * @return the rows
     * @throws IllegalArgumentException if an index has no row; the message names example and place
     */
    public static INDArray run(
            String name,
            FeedForwardLayer conf,
            Layer inner,
            INDArray indices,
            boolean training,
            LayerWorkspaceMgr mgr) {
        double[] values = RowMajor.doubles(Require.given(indices, "indices"));
        int steps = Math.toIntExact(indices.length() / indices.size(0));
        double[] usable = values.clone();
        boolean allNumbers = true;
        for (int i = 0; i < usable.length; i++) {
            if (Double.isNaN(usable[i])) {
                usable[i] = 0;
                allNumbers = false;
            } else {
                requireRow(name, values[i], conf.getNIn(), i / steps, i % steps);
            }
        }
        if (allNumbers) {
            return inner.activate(training, mgr);
        }
        INDArray found = indices.dup();
        RowMajor.copyInto(usable, found);
        inner.setInput(found, mgr);
        INDArray rows = inner.activate(training, mgr);
        inner.setInput(indices, mgr);
        boolean timeLast =
                conf instanceof EmbeddingSequenceLayer sequence
                        && sequence.getOutputFormat() == RNNFormat.NCW;
        for (int i = 0; i < values.length; i++) {
            if (Double.isNaN(values[i])) {
                row(rows, i / steps, i % steps, timeLast).assign(Float.NaN);
            }
        }
        return rows;
    }

    private static void requireRow(String name, double index, long rows, int example, int place) {
        if (!(index >= 0 && index < rows && index == (long) index)) {
            Require.argument(
                    false,
                    "layer \"%s\" reads the index %s in example %d at place %d; it has %d rows, and"
                            + " takes whole numbers from 0 to %d",
                    name,
                    index,
                    example,
                    place,
                    rows,
                    rows - 1);
        }
    }

    private static INDArray row(INDArray rows, int example, int step, boolean timeLast) {
        if (rows.rank() == 2) {
            return rows.get(NDArrayIndex.point(example), NDArrayIndex.all());
        }
        return timeLast
                ? rows.get(
                        NDArrayIndex.point(example), NDArrayIndex.all(), NDArrayIndex.point(step))
                : rows.get(
                        NDArrayIndex.point(example), NDArrayIndex.point(step), NDArrayIndex.all());
    }
}
