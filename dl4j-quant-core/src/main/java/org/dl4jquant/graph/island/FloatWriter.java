// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.island;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.OutputFunction;

/** Collects the operators of one float island, and names their results. */
public final class FloatWriter {

    private final String prefix;
    private final List<FloatConstant> constants = new ArrayList<>();
    private final List<FloatOperator> operators = new ArrayList<>();

    /**
     * Starts an island.
     *
     * @param prefix begins the names of its tensors
     */
    public FloatWriter(String prefix) {
        this.prefix = Require.given(prefix, "prefix");
    }

    /**
     * Adds an operator.
     *
     * @param type its name in ONNX
     * @param inputs the names of its inputs
     * @param attributes its attributes
     * @return the name of its result
     */
    @CanIgnoreReturnValue
    public String operator(
            String type, List<String> inputs, FloatOperator.Attribute... attributes) {
        String output = name(type);
        operators.add(new FloatOperator.Onnx(type, inputs, output, List.of(attributes)));
        return output;
    }

    /**
     * Adds functions.
     *
     * @param functions the functions, in order; none leaves the argument as it is
     * @param input the name of the argument
     * @return the name of the result
     */
    public String functions(List<OutputFunction> functions, String input) {
        if (Require.given(functions, "functions").isEmpty()) {
            return input;
        }
        String output = name("function");
        operators.add(new FloatOperator.Functions(functions, input, output));
        return output;
    }

    /**
     * Adds a constant.
     *
     * @param part a word for it
     * @param values row-major
     * @param dimensions its dimensions; none for a scalar
     * @return its name
     */
    public String constant(String part, float[] values, long... dimensions) {
        String name = name(part);
        constants.add(FloatConstant.of(name, values, dimensions));
        return name;
    }

    private String name(String part) {
        return prefix + '/' + part + (constants.size() + operators.size());
    }

    /** {@return the constants so far} */
    public List<FloatConstant> constants() {
        return List.copyOf(constants);
    }

    /** {@return the operators so far} */
    public List<FloatOperator> operators() {
        return List.copyOf(operators);
    }
}
