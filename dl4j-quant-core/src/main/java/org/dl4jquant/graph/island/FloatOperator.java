// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.island;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.numeric.OutputFunction;

/** One step of a float island, from tensors by name to one tensor. */
public sealed interface FloatOperator {

    /** {@return the name of its result} */
    String output();

    /**
     * An operator of ONNX.
     *
     * @param type its name in ONNX
     * @param inputs the names of its inputs
     * @param output the name of its result
     * @param attributes its attributes, integers or lists of them
     */
    record Onnx(String type, List<String> inputs, String output, List<Attribute> attributes)
            implements FloatOperator {
        /** Copies the lists. */
        public Onnx {
            Objects.requireNonNull(type, "type");
            inputs = List.copyOf(inputs);
            Objects.requireNonNull(output, "output");
            attributes = List.copyOf(attributes);
        }
    }

    /**
     * Functions, one after the other.
     *
     * @param functions the functions
     * @param input the name of the first one's argument
     * @param output the name of the last one's result
     */
    record Functions(List<OutputFunction> functions, String input, String output)
            implements FloatOperator {
        /** Copies the list. */
        public Functions {
            functions = List.copyOf(functions);
            Objects.requireNonNull(input, "input");
            Objects.requireNonNull(output, "output");
        }
    }

    /**
     * An attribute of an operator.
     *
     * @param name its name in ONNX
     * @param values the integers
     * @param isList whether it is a list of integers, not one integer
     */
    record Attribute(String name, List<Long> values, boolean isList) {
        /** Copies the list. */
        public Attribute {
            Objects.requireNonNull(name, "name");
            values = List.copyOf(values);
        }

        /**
         * Returns an attribute that is one integer.
         *
         * @param name its name in ONNX
         * @param value the integer
         * @return the attribute
         */
        public static Attribute of(String name, long value) {
            return new Attribute(name, List.of(value), false);
        }

        /**
         * Returns an attribute that is a list of integers.
         *
         * @param name its name in ONNX
         * @param values the integers
         * @return the attribute
         */
        public static Attribute of(String name, List<Long> values) {
            return new Attribute(name, values, true);
        }
    }
}
