// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The state that a network's updater holds for each parameter, such as momentum. */
public final class UpdaterStates {

    /* DL4J joins neighbouring parameters of equal updater configurations in a block. A block's state
     * is one or more arrays, one after the other, each as long as the block's parameters together,
     * in the order in which the parameters lie in memory. */

    private final IdentityHashMap<Trainable, String> names = new IdentityHashMap<>();
    private final Map<String, Trainable> holders = new HashMap<>();
    private final List<UpdaterBlock> blocks;
    private final @Nullable INDArray state;

    private UpdaterStates(NetworkView<?> network, @Nullable BaseMultiLayerUpdater<?> updater) {
        for (Step step : network.topology().steps()) {
            Trainable holder = network.trainable(step.name());
            if (holder != null) {
                names.put(holder, step.name());
                holders.put(step.name(), holder);
            }
        }
        INDArray view = updater == null ? null : updater.getStateViewArray();
        this.blocks = updater == null ? List.of() : updater.getUpdaterBlocks();
        this.state = view == null ? null : view.reshape(view.length());
    }

    /**
     * Returns the states of a network.
     *
     * @param network a network; without an updater, or if its updaters need no state, there are
     *     none
     * @return the states, which are the updater's own and no copies
     */
    public static UpdaterStates of(NetworkView<?> network) {
        return new UpdaterStates(Require.given(network, "network"), network.updater());
    }

    /**
     * Returns the state of a parameter.
     *
     * @param step the name of its layer or vertex
     * @param parameter its name
     * @return copies of the state's arrays, each of the parameter's shape; none if it has no state
     */
    public List<INDArray> get(String step, String parameter) {
        List<INDArray> copies = new ArrayList<>();
        for (Segment segment : segments(step, parameter)) {
            INDArray values = segment.parameter();
            copies.add(segment.state().dup().reshape(values.ordering(), values.shape()).dup());
        }
        return copies;
    }

    /**
     * Sets the state of a parameter.
     *
     * @param step the name of its layer or vertex
     * @param parameter its name
     * @param values as many arrays as it has, each of the parameter's shape
     * @return whether it has so many; if not, nothing was set
     */
    public boolean set(String step, String parameter, List<INDArray> values) {
        List<Segment> segments = segments(step, parameter);
        if (segments.size() != values.size()) {
            return false;
        }
        for (int i = 0; i < values.size(); i++) {
            INDArray target = segments.get(i).state();
            char order = segments.get(i).parameter().ordering();
            target.assign(Nd4j.toFlattened(order, values.get(i)).reshape(target.length()));
        }
        return true;
    }

    /**
     * Copies the states of all parameters to another updater of the same network, whose blocks may
     * be others. Parameters that remember another number of arrays there are left as they are.
     *
     * @param other the states of the other updater
     */
    public void copyTo(UpdaterStates other) {
        for (UpdaterBlock block : blocks) {
            for (UpdaterBlock.ParamState of : block.getLayersAndVariablesInBlock()) {
                String step = name(of.getLayer());
                if (step != null) {
                    other.set(step, of.getParamName(), get(step, of.getParamName()));
                }
            }
        }
    }

    private record Segment(INDArray parameter, INDArray state) {}

    private List<Segment> segments(String step, String parameter) {
        List<Segment> segments = new ArrayList<>();
        for (UpdaterBlock block : blocks) {
            for (UpdaterBlock.ParamState of : block.getLayersAndVariablesInBlock()) {
                if (of.getParamName().equals(parameter) && step.equals(name(of.getLayer()))) {
                    add(block, of, parameter(step, parameter), segments);
                }
            }
        }
        return segments;
    }

    private @Nullable String name(Trainable holder) {
        boolean layered = holder instanceof GraphVertex vertex && vertex.getLayer() != null;
        return names.get(layered ? ((GraphVertex) holder).getLayer() : holder);
    }

    private INDArray parameter(String step, String parameter) {
        Trainable holder = Objects.requireNonNull(holders.get(step));
        return Objects.requireNonNull(holder.paramTable(false).get(parameter));
    }

    private void add(
            UpdaterBlock block,
            UpdaterBlock.ParamState of,
            INDArray parameter,
            List<Segment> segments) {
        INDArray all = state;
        if (all == null) {
            return;
        }
        int parameters = block.getParamOffsetEnd() - block.getParamOffsetStart();
        int length = of.getParamOffsetEnd() - of.getParamOffsetStart();
        int first =
                block.getUpdaterViewOffsetStart()
                        + of.getParamOffsetStart()
                        - block.getParamOffsetStart();
        for (int at = first; at < block.getUpdaterViewOffsetEnd(); at += parameters) {
            segments.add(new Segment(parameter, all.get(NDArrayIndex.interval(at, at + length))));
        }
    }
}
