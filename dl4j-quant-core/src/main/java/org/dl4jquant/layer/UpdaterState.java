// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * What a network's updater remembers of each parameter, to be carried over to one with other
 * blocks.
 */
final class UpdaterState {

    /* DL4J joins neighbouring parameters of equal updater configurations in a block. A block's state
     * is one or more arrays, one after the other, each as long as its parameters together; so
     * whenever configurations change, the state of a parameter moves. */

    private final List<UpdaterBlock> blocks;
    private final @Nullable INDArray state;

    private UpdaterState(List<UpdaterBlock> blocks, @Nullable INDArray state) {
        this.blocks = blocks;
        this.state = state;
    }

    /**
     * {@return a copy of an updater's state; it has none if nothing in the network needs any}
     *
     * @param updater a MultiLayerNetwork's or ComputationGraph's updater
     */
    static UpdaterState of(Object updater) {
        BaseMultiLayerUpdater<?> of = (BaseMultiLayerUpdater<?>) updater;
        INDArray view = of.getStateViewArray();
        return new UpdaterState(of.getUpdaterBlocks(), view == null ? null : flat(view.dup()));
    }

    /**
     * Writes the state to another updater of the same parameters.
     *
     * @param updater the new updater, of the same kind for every parameter
     */
    void copyTo(Object updater) {
        BaseMultiLayerUpdater<?> to = (BaseMultiLayerUpdater<?>) updater;
        INDArray target = to.getStateViewArray();
        INDArray source = state;
        if (source == null || target == null) {
            return;
        }
        for (UpdaterBlock old : blocks) {
            for (UpdaterBlock now : to.getUpdaterBlocks()) {
                copy(source, old, flat(target), now);
            }
        }
    }

    private static void copy(INDArray source, UpdaterBlock old, INDArray target, UpdaterBlock now) {
        int from = Math.max(old.getParamOffsetStart(), now.getParamOffsetStart());
        int to = Math.min(old.getParamOffsetEnd(), now.getParamOffsetEnd());
        for (int k = 0; from < to && k < arrays(old); k++) {
            part(target, now, k, from, to).assign(part(source, old, k, from, to));
        }
    }

    private static int parameters(UpdaterBlock block) {
        return block.getParamOffsetEnd() - block.getParamOffsetStart();
    }

    private static int arrays(UpdaterBlock block) {
        return (block.getUpdaterViewOffsetEnd() - block.getUpdaterViewOffsetStart())
                / parameters(block);
    }

    private static INDArray part(INDArray state, UpdaterBlock block, int k, int from, int to) {
        int start =
                block.getUpdaterViewOffsetStart()
                        + k * parameters(block)
                        - block.getParamOffsetStart();
        return state.get(NDArrayIndex.interval(start + from, start + to));
    }

    private static INDArray flat(INDArray array) {
        return array.reshape(array.length());
    }
}
