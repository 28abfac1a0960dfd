// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.island;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.numeric.OutputFunction;

/**
 * A step of a network that stays in float, between the parts that are integers.
 *
 * @param name the step's name
 * @param type the simple name of its configuration's class
 * @param reason why it is not integers
 * @param half whether it rounds to half precision, so that a result may be off by one unit in its
 *     last place
 * @param inputs the nodes of float32 values that it reads
 * @param output the name of its result, which is an input of the integer graph
 * @param body its constants and operators
 */
public record FloatIsland(
        String name,
        String type,
        String reason,
        boolean half,
        List<String> inputs,
        String output,
        Body body) {

    /**
     * The arithmetic of an island.
     *
     * @param constants its constants
     * @param operators its operators, in order; the last one makes the result
     * @param before by input, functions that belong to the layer before and are applied first
     */
    public record Body(
            List<FloatConstant> constants,
            List<FloatOperator> operators,
            Map<String, List<OutputFunction>> before) {
        /** Copies the lists. */
        public Body {
            constants = List.copyOf(constants);
            operators = List.copyOf(operators);
            before = Map.copyOf(before);
        }
    }

    /** Copies the lists. */
    public FloatIsland {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(reason, "reason");
        inputs = List.copyOf(inputs);
        Objects.requireNonNull(output, "output");
        Objects.requireNonNull(body, "body");
    }
}
