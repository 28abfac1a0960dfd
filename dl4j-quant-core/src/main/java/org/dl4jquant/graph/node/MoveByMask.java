// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/**
 * Codes of a sequence chosen by a mask, which is 1 where a step counts and 0 where not.
 *
 * @param name the node's name
 * @param input codes of a sequence [features, steps]
 * @param by the mask, an input of the graph [steps]
 * @param choice which codes
 */
public record MoveByMask(String name, String input, String by, Choice choice)
        implements KeepsCodes {

    private static final int RANK = 2;

    /** The codes that a mask chooses. */
    public enum Choice {
        /** The features of the last step that counts; of the last step, if none counts. */
        LAST,

        /** All codes, and the code of 0 in the steps that do not count. */
        ZERO,

        /** All codes, and the least code in the steps that do not count, for a maximum of steps. */
        LEAST
    }

    /** Checks that the parts are there. */
    public MoveByMask {
        NodeChecks.requireName(name);
        Objects.requireNonNull(input, "input");
        Objects.requireNonNull(by, "by");
        Objects.requireNonNull(choice, "choice");
    }

    @Override
    public Optional<String> mask() {
        return Optional.of(by);
    }

    @Override
    public List<String> inputs() {
        return List.of(input, by);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.codes(this, input);
        Require.argument(
                type.shape().rank() == RANK,
                "node '%s': '%s' has shape %s; a mask chooses among the steps of a sequence"
                        + " [features, steps]",
                name,
                input,
                type.shape());
        inputs.requireMask(this, type.shape().size(1));
        return choice == Choice.LAST
                ? new TensorType(Shape.of(type.shape().size(0)), type.params())
                : type;
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        FreeSteps.steps(this, inputs);
        return choice == Choice.LAST ? TensorType.NO_TIME : 1;
    }

    @Override
    public String kind() {
        return "MoveByMask";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
