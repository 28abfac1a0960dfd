// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/** The types of all results so far, for the next node of a graph. */
public final class NodeInputs {

    private final Map<String, TensorType> types;
    private final Set<String> fromOutside;
    private final Set<String> roundable;

    /**
     * Makes the inputs of the next node.
     *
     * @param types the types of all nodes so far, by name; read, not copied
     * @param fromOutside the graph's inputs, and reshaped inputs
     * @param roundable float32 values that may be rounded to codes: those from outside, and those
     *     that are computed with scales found at run time
     */
    public NodeInputs(
            Map<String, TensorType> types, Set<String> fromOutside, Set<String> roundable) {
        this.types = Require.given(types, "types");
        this.fromOutside = Require.given(fromOutside, "fromOutside");
        this.roundable = Require.given(roundable, "roundable");
    }

    /** {@return whether a result is an input of the graph, possibly reshaped} */
    boolean isFromOutside(String name) {
        return fromOutside.contains(name);
    }

    /** {@return whether a result is float32 values that no other node's rounding belongs to} */
    boolean isRoundable(String name) {
        return roundable.contains(name);
    }

    /** {@return the type of a result} */
    TensorType type(String name) {
        return Objects.requireNonNull(types.get(name), name);
    }

    /** {@return the type of a result that must be codes} */
    TensorType codes(IntNode node, String input) {
        TensorType type = type(input);
        Require.argument(
                type.isCodes(),
                "node '%s' reads float32 values from '%s'; it takes codes, quantize them first",
                node.name(),
                input);
        Require.argument(
                node.takesWideCodes() || !type.codes().range().isWide(),
                "node '%s' (%s) reads codes of 16 bits from '%s'; only convolutions, dense nodes,"
                        + " max pools and moves take them, so let '%s' have at most 8 bits",
                node.name(),
                node.kind(),
                input,
                input);
        return type;
    }

    /** Requires that the mask of a node, if it has one, is an input of a number for each step. */
    void requireMask(IntNode node, int steps) {
        node.mask()
                .ifPresent(
                        mask -> {
                            TensorType type = type(mask);
                            Require.argument(
                                    !type.isCodes()
                                            && isFromOutside(mask)
                                            && type.shape().equals(Shape.of(steps)),
                                    "node '%s' reads '%s' of shape %s as the mask of %d steps; a"
                                            + " mask is an input of the graph, of one float32"
                                            + " number for each step",
                                    node.name(),
                                    mask,
                                    type.shape(),
                                    steps);
                        });
    }

    /** {@return the type of a result that must be codes of an image} */
    TensorType image(IntNode node, String input) {
        TensorType type = codes(node, input);
        Require.argument(
                type.shape().isImage(),
                "node '%s' reads '%s' of shape %s; it takes images [channels, height, width]",
                node.name(),
                input,
                type.shape());
        return type;
    }
}
