// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.numeric.OutputFunction;
import org.nd4j.linalg.activations.IActivation;

/**
 * The activation functions of results that leave a network as float32. Rectifiers are exact in
 * float32 everywhere and become nodes, as long as nothing inexact stands before them. All else
 * becomes the output's last function, which engines apply in Java.
 */
final class LastFunctions {

    private LastFunctions() {}

    /**
     * {@return the results of a layer that computes, through its function}
     *
     * @param graph takes the nodes
     * @param activation the layer's function
     * @param alongFirst whether the function goes along the first dimension of an example, not
     *     along the last one
     * @param scores makes the node that computes, given its name
     */
    static Signal emit(
            NodeEmitter graph,
            IActivation activation,
            boolean alongFirst,
            Function<String, ? extends IntNode> scores) {
        // Whether it is rectified does not depend on the axis.
        boolean rectified = isRectified(of(activation, 0));
        String node = graph.add(scores.apply(rectified ? graph.inner("sum") : graph.name()));
        int axis = alongFirst ? 0 : graph.type(node).shape().rank() - 1;
        return applied(graph, Signal.Values.of(node, graph.step()), of(activation, axis));
    }

    /**
     * {@return the functions that an activation function is, in order}
     *
     * @param activation the function
     * @param axis the axis of one example that a softmax goes along
     * @throws IntegerRefusal if engines have no definition of it
     */
    static List<OutputFunction> of(IActivation activation, int axis) {
        return OutputFunctions.of(activation, axis)
                .orElseThrow(() -> FloatLayers.withoutDefinition(activation).exception());
    }

    private static boolean isRectified(List<OutputFunction> functions) {
        return !functions.isEmpty()
                && functions.stream().allMatch(OutputFunction.Rectifier.class::isInstance);
    }

    /**
     * {@return float32 values through functions}
     *
     * @param graph takes the nodes of rectifiers
     * @param scores the values before
     * @param functions the functions, in order
     */
    static Signal.Values applied(
            NodeEmitter graph, Signal.Values scores, List<OutputFunction> functions) {
        if (!scores.functions().isEmpty() || !isRectified(functions)) {
            List<OutputFunction> all = new ArrayList<>(scores.functions());
            all.addAll(functions);
            return new Signal.Values(scores.node(), all, graph.step(), scores.unprepared());
        }
        String at = scores.node();
        for (int i = 0; i < functions.size(); i++) {
            boolean last = i == functions.size() - 1;
            OutputFunction.Rectifier function = (OutputFunction.Rectifier) functions.get(i);
            at = graph.add(new Rectify(last ? graph.name() : graph.inner("slope"), at, function));
        }
        return new Signal.Values(at, List.of(), graph.step(), scores.unprepared());
    }
}
