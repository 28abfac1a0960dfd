// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * The form of a vertex that repeats features as often as a network input has time steps.
 *
 * @param input the network input
 */
public record DuplicateForm(String input) implements IntegerForm {

    /** Checks that there is an input. */
    public DuplicateForm {
        Objects.requireNonNull(input, "input");
    }

    /**
     * Returns the support of the vertex.
     *
     * @param input the network input whose time steps are counted
     * @return a form
     */
    public static IntegerSupport of(String input) {
        Require.given(input, "input");
        return IntegerSupport.of(tensors -> new DuplicateForm(input));
    }

    @Override
    public Optional<String> countsStepsOf() {
        return Optional.of(input);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(inputs.get(0));
        Shape features = graph.type(codes).shape();
        TensorType sequence =
                graph.networkInput(input)
                        .filter(type -> type.shape().rank() == 2)
                        .orElseThrow(
                                () ->
                                        new IntegerRefusal(
                                                "it counts the time steps of '"
                                                        + input
                                                        + "', which is no sequence that a layer"
                                                        + " before it reads",
                                                "let it repeat as often as a network input of"
                                                        + " sequences has steps, which a layer"
                                                        + " before it reads"));
        if (sequence.hasFreeSteps()) {
            throw new IntegerRefusal(
                    "it repeats as often as '" + input + "' has steps, whose number is free",
                    "lower the network with a fixed number of steps");
        }
        if (features.rank() != 1) {
            throw new IntegerRefusal(
                    "it repeats examples of shape " + features,
                    "let it read a layer that makes vectors");
        }
        int size = features.size(0);
        int steps = sequence.shape().size(1);
        IndexMap repeated =
                new IndexMap(
                        Shape.of(size, 1),
                        List.of(0, 1),
                        List.of(AxisIndices.identity(size), AxisIndices.repeated(1, steps)),
                        Shape.of(size, steps));
        return List.of(new Signal.Codes(graph.add(Move.of(graph.name(), codes, repeated))));
    }
}
