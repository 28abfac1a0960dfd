// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/** Dimensions whose size is free: the steps of sequences. */
public final class FreeSteps {

    private FreeSteps() {}

    /**
     * Returns the type of a node's result, with the dimension of free steps if its inputs have any.
     *
     * @param node the node
     * @param inputs the types of the results that it reads
     * @param result its result's, for as many steps as those have
     * @return the type
     * @throws IllegalArgumentException if the node computes for a fixed number of steps only
     */
    public static TensorType typed(IntNode node, List<TensorType> inputs, TensorType result) {
        Require.given(node, "node");
        Require.given(inputs, "inputs");
        Require.given(result, "result");
        return inputs.stream().anyMatch(TensorType::hasFreeSteps)
                ? new TensorType(result.shape(), result.params(), node.timeAxis(inputs, result))
                : result;
    }

    /**
     * {@return the dimension of steps of a sequence [features, steps]; a mask, if there is one, has
     * as many}
     *
     * @param node the node that reads it
     * @param inputs the types of the sequence and of what else the node reads
     */
    static int steps(IntNode node, List<TensorType> inputs) {
        int axis = inputs.get(0).timeAxis();
        boolean masked = node.mask().isEmpty() || inputs.get(1).timeAxis() == 0;
        Require.argument(
                axis == 1 && masked,
                "node '%s' reads %s; the number of steps is free in some only, or not that of the"
                        + " last dimension",
                node.name(),
                node.inputs());
        return axis;
    }

    /**
     * {@return the one dimension of free steps of several tensors}
     *
     * @param node the node that reads them
     * @param inputs their types
     */
    static int common(IntNode node, List<TensorType> inputs) {
        int axis = inputs.get(0).timeAxis();
        for (TensorType type : inputs) {
            Require.argument(
                    type.timeAxis() == axis,
                    "node '%s' reads %s, of which some have a free number of steps and others not,"
                            + " or in other dimensions",
                    node.name(),
                    node.inputs());
        }
        return axis;
    }

    /**
     * {@return the dimension of steps after a reshape}
     *
     * @param node the node that reshapes
     * @param from the shape before
     * @param axis the dimension of steps before
     * @param to the shape after
     */
    static int reshaped(IntNode node, Shape from, int axis, Shape to) {
        long before = 1;
        for (int i = 0; i < axis; i++) {
            before *= from.size(i);
        }
        long product = 1;
        for (int i = 0; i < to.rank(); i++) {
            if (product == before && to.size(i) == from.size(axis)) {
                return i;
            }
            product *= to.size(i);
        }
        throw new IllegalArgumentException(
                "node '"
                        + node.name()
                        + "' reshapes "
                        + from
                        + " to "
                        + to
                        + ", which joins the free number of steps with other dimensions");
    }

    /**
     * {@return a shape with another number of steps}
     *
     * @param shape a shape
     * @param axis the dimension of steps
     * @param steps how many
     */
    public static Shape resized(Shape shape, int axis, int steps) {
        List<Integer> sizes = new ArrayList<>(Require.given(shape, "shape").dimensions());
        sizes.set(axis, steps);
        return new Shape(sizes);
    }
}
