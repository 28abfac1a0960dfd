// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A part of a step that several steps can take the place of, as one that multiplies by more weights
 * than a layer's quantizers know of.
 *
 * @param ending the end of its name, after that of the whole step; empty for the piece that makes
 *     the step's result and keeps its name
 * @param configuration the configuration of its layer or vertex, without a name
 * @param inputs the tensors that it reads, by number: the whole step's inputs in order, then the
 *     results of the pieces before it
 * @param parameters makes its parameters, by name and in their shapes, of those of the whole step
 */
public record Piece(
        String ending,
        Object configuration,
        List<Integer> inputs,
        UnaryOperator<Map<String, INDArray>> parameters) {

    /** Copies the inputs. */
    public Piece {
        Objects.requireNonNull(ending, "ending");
        Objects.requireNonNull(configuration, "configuration");
        Objects.requireNonNull(parameters, "parameters");
        inputs = List.copyOf(inputs);
    }

    /** {@return whether it makes the result of the whole step} */
    public boolean isLast() {
        return ending.isEmpty();
    }
}
