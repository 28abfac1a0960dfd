// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/**
 * An expression of operators: what a form of many operators writes, and what a reader compares a
 * file with, so that the two cannot differ. A term that is used several times is one object.
 */
sealed interface Term {

    /**
     * A tensor that is there.
     *
     * @param name its name
     */
    record Tensor(String name) implements Term {}

    /**
     * A constant of whole numbers or of float32, which are exact in float64.
     *
     * @param part the last part of its name
     * @param type its type
     * @param values its values
     * @param dimensions its dimensions; none for a scalar
     */
    record Constant(String part, DataType type, List<Double> values, List<Long> dimensions)
            implements Term {

        static Constant scalar(String part, DataType type, double value) {
            return new Constant(part, type, List.of(value), List.of());
        }

        static Constant vector(String part, long... values) {
            List<Double> all = Arrays.stream(values).mapToObj(value -> (double) value).toList();
            return new Constant(part, DataType.INT64, all, List.of((long) values.length));
        }
    }

    /**
     * An operator's result.
     *
     * @param operator the operator
     * @param part the last part of its name
     * @param inputs the terms that it reads
     * @param attributes its attributes
     */
    record Result(String operator, String part, List<Term> inputs, List<Message> attributes)
            implements Term {}

    static Result of(String operator, String part, Term... inputs) {
        return new Result(operator, part, List.of(inputs), List.of());
    }

    static Result cast(DataType type, String part, Term input) {
        Message to = Attributes.of("to", type.number());
        return new Result(Operators.CAST, part, List.of(input), List.of(to));
    }

    /**
     * Writes terms whose names begin with a node's.
     *
     * @param name the node's name
     * @param graph takes the operators
     * @param written the names of the terms so far
     */
    record Writer(String name, GraphWriter graph, Map<Term, String> written) {

        Writer(String name, GraphWriter graph) {
            this(name, graph, new IdentityHashMap<>());
        }

        /** {@return the tensor that holds a term} */
        String write(Term term) {
            String known = written.get(term);
            if (known != null) {
                return known;
            }
            String tensor;
            if (term instanceof Result result) {
                List<String> inputs = result.inputs().stream().map(this::write).toList();
                tensor = graph.name(name + "/" + result.part());
                graph.auxiliary(result.operator(), tensor, inputs, tensor)
                        .set(NodeProto.ATTRIBUTE, result.attributes());
            } else if (term instanceof Constant constant) {
                tensor = write(constant);
            } else {
                tensor = ((Tensor) term).name();
            }
            written.put(term, tensor);
            return tensor;
        }

        private String write(Constant constant) {
            String tensor = name + "/" + constant.part();
            double[] values = constant.values().stream().mapToDouble(value -> value).toArray();
            long[] dimensions = constant.dimensions().stream().mapToLong(size -> size).toArray();
            if (constant.type() == DataType.FLOAT) {
                float[] floats = new float[values.length];
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = (float) values[i];
                }
                return graph.floats(tensor, floats, dimensions);
            }
            if (constant.type() == DataType.INT32) {
                int[] ints = Arrays.stream(values).mapToInt(value -> (int) value).toArray();
                return graph.ints(tensor, ints, dimensions);
            }
            long[] longs = Arrays.stream(values).mapToLong(value -> (long) value).toArray();
            return graph.longs(tensor, longs);
        }
    }

    /**
     * Compares terms with the operators of a file.
     *
     * @param graph the file
     */
    record Comparison(OnnxGraph graph) {

        /**
         * {@return whether a tensor of the file is a term}
         *
         * @param term the term
         * @param tensor the tensor
         */
        boolean is(Term term, String tensor) {
            if (term instanceof Tensor given) {
                return given.name().equals(tensor);
            }
            if (term instanceof Constant constant) {
                return graph.constants().has(tensor) && equal(constant, tensor);
            }
            Result result = (Result) term;
            OnnxNode maker = graph.maker(tensor, result.operator()).orElse(null);
            if (maker == null
                    || maker.inputs().size() != result.inputs().size()
                    || !maker.proto().get(NodeProto.ATTRIBUTE).equals(result.attributes())) {
                return false;
            }
            for (int i = 0; i < maker.inputs().size(); i++) {
                if (!is(result.inputs().get(i), maker.input(i))) {
                    return false;
                }
            }
            return true;
        }

        private boolean equal(Constant constant, String tensor) {
            Constants constants = graph.constants();
            if (!constants.isOf(tensor, constant.type())
                    || !constants
                            .dimensions(tensor)
                            .equals(
                                    constant.dimensions().stream()
                                            .map(Math::toIntExact)
                                            .toList())) {
                return false;
            }
            double[] found;
            if (constant.type() == DataType.FLOAT) {
                float[] floats = constants.floats(tensor);
                found = new double[floats.length];
                Arrays.setAll(found, i -> floats[i]);
            } else if (constant.type() == DataType.INT32) {
                found = Arrays.stream(constants.ints(tensor)).asDoubleStream().toArray();
            } else {
                found = Arrays.stream(constants.longs(tensor)).asDoubleStream().toArray();
            }
            return constant.values().equals(Arrays.stream(found).boxed().toList());
        }
    }
}
