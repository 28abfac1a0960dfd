// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.floats;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.graph.island.FloatWriter;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The float arithmetic of one layer or vertex, up to its activation function. */
public interface FloatForm {

    /**
     * What the arithmetic reads.
     *
     * @param inputs the names of its inputs
     * @param shapes one example of each input, without the batch dimension
     * @param result one example of the result
     * @param parameters the parameters, as inference uses them
     */
    record Reading(
            List<String> inputs,
            List<Shape> shapes,
            Shape result,
            Map<String, INDArray> parameters) {
        /** Copies the lists. */
        public Reading {
            inputs = List.copyOf(inputs);
            shapes = List.copyOf(shapes);
            Objects.requireNonNull(result, "result");
            parameters = Map.copyOf(parameters);
        }

        /**
         * {@return the same with other inputs of the same shapes}
         *
         * @param others their names
         */
        public Reading of(List<String> others) {
            return new Reading(others, shapes, result, parameters);
        }

        /** {@return the name of the only input} */
        String input() {
            return inputs.get(0);
        }
    }

    /**
     * Writes the operators.
     *
     * @param target takes them
     * @param reading their inputs and parameters
     * @return the name of the result
     * @throws IllegalArgumentException if an option has no operators; the message says which
     */
    String write(FloatWriter target, Reading reading);

    /** {@return the activation function that follows; null if there is none} */
    default @Nullable IActivation function() {
        return null;
    }
}
