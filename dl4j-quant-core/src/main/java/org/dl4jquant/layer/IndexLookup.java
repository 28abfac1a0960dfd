// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * What an embedding looks up: a row of its weights for each index, and NaN for an index that is
 * NaN, which DL4J takes for the index 0.
 */
final class IndexLookup {

    private IndexLookup() {}

    /**
     * {@return whether a layer looks its input up}
     *
     * @param layer the underlying layer's configuration
     */
    static boolean isIn(org.deeplearning4j.nn.conf.layers.Layer layer) {
        return LayerKinds.of(layer).flow() == CodeFlow.READS_INDICES;
    }

    /**
     * Runs an embedding.
     *
     * @param conf its configuration
     * @param inner DL4J's layer
     * @param indices its input, [examples, 1] or [examples, steps]; not changed
     * @param training whether gradients will be asked for
     * @param mgr the workspaces
     * @return the rows
     */
    static INDArray run(
            org.deeplearning4j.nn.conf.layers.Layer conf,
            Layer inner,
            INDArray indices,
            boolean training,
            LayerWorkspaceMgr mgr) {
        if (!NonFinite.hasNan(indices)) {
            return inner.activate(training, mgr);
        }
        float[] values = RowMajor.floats(indices);
        float[] usable = values.clone();
        for (int i = 0; i < usable.length; i++) {
            usable[i] = Float.isNaN(usable[i]) ? 0 : usable[i];
        }
        inner.setInput(RowMajor.array(usable, indices.shape()).castTo(indices.dataType()), mgr);
        INDArray rows = inner.activate(training, mgr);
        inner.setInput(indices, mgr);
        boolean timeLast =
                conf instanceof EmbeddingSequenceLayer sequence
                        && sequence.getOutputFormat() == RNNFormat.NCW;
        int steps = Math.toIntExact(indices.length() / indices.size(0));
        for (int i = 0; i < values.length; i++) {
            if (Float.isNaN(values[i])) {
                row(rows, i / steps, i % steps, timeLast).assign(Float.NaN);
            }
        }
        return rows;
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
