// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The integer arithmetic of one layer, vertex or preprocessor: its inference in the network, and
 * the same as nodes of an integer graph.
 *
 * <p>Both give the same codes for the same codes. A form may hold several weights and emit several
 * nodes. Whatever the step reads is an input, in the order of the step's inputs: masks and states
 * come after them, and states leave as further results.
 */
public interface IntegerForm {

    /**
     * Computes the step's results in inference.
     *
     * @param call how the network calls the step
     * @param inputs float32 containers of the values of codes; not changed
     * @return values of codes, or the float32 values that leave the network; none where DL4J's own
     *     arithmetic, rounded, is exact, as of a layer that only moves codes, or where these inputs
     *     or quantizers have no integer arithmetic
     */
    default List<INDArray> infer(Call call, List<INDArray> inputs) {
        return List.of();
    }

    /**
     * Adds the step's nodes to a graph under construction.
     *
     * @param graph the graph, as this step may change it
     * @param inputs the step's inputs
     * @return its results
     * @throws IntegerRefusal if the step cannot become integers; lowering names the step
     */
    List<Signal> emit(NodeEmitter graph, List<Signal> inputs);

    /**
     * Adds the nodes of a step whose mask a wrapper sets on the layer itself: recurrent layers obey
     * such a mask, while some let one that arrives at them pass.
     *
     * @param graph the graph, as this step may change it
     * @param inputs the step's inputs
     * @return its results
     * @throws IntegerRefusal as {@link #emit}
     */
    default List<Signal> emitMasked(NodeEmitter graph, List<Signal> inputs) {
        return emit(graph, inputs);
    }

    /**
     * {@return the reason why the step's quantizers, at the precision in force, leave it in float;
     * null if they do not}
     */
    default IntegerSupport.@Nullable Refusal obstacle() {
        return null;
    }

    /**
     * {@return whether it puts batches together or takes them apart, so that it reads {@link
     * Signal.Stacked}; any other form is emitted for each batch of a stack}
     */
    default boolean mixesExamples() {
        return false;
    }

    /**
     * {@return the use that the step makes of the mask of its input, where the network is lowered
     * with masks}
     */
    default MaskUse maskUse() {
        return MaskUse.REFUSED;
    }

    /**
     * {@return the network input whose steps the result has, where they are not those of the step's
     * own input; where the network is lowered with masks, the result would have that input's}
     */
    default Optional<String> countsStepsOf() {
        return Optional.empty();
    }

    /**
     * {@return whether inference multiplies codes by weights and adds a bias of codes, so that
     * training rounds the bias to the same codes}
     */
    default boolean hasCodedBias() {
        return false;
    }
}
