// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.numeric.RuntimeParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * A row's largest magnitude is found by ArgMax and GatherElements: a ReduceMax has its axes as an
 * attribute or as an input, depending on the opset. MatMulInteger has all four inputs, and weights
 * of uint8, without which ONNX Runtime may end the process.
 */
/**
 * A product with rows of floats whose scale is found in them: MatMulInteger of their codes, and the
 * multiplications that make values of the sums.
 */
final class DynamicDenseForm implements NodeForm<DynamicDense> {

    private static final int LAST = -1;

    @Override
    public Class<DynamicDense> node() {
        return DynamicDense.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.MAT_MUL_INTEGER,
                Operators.DYNAMIC_QUANTIZE,
                Operators.ABS,
                Operators.ARG_MAX,
                Operators.GATHER_ELEMENTS,
                Operators.REDUCE_MAX,
                Operators.DIV,
                Operators.CLIP,
                Operators.MAX,
                Operators.CAST,
                Operators.MUL,
                Operators.ADD,
                Operators.TRANSPOSE);
    }

    @Override
    public void write(DynamicDense node, FormWriter target) {
        new Writing(node, target).write();
    }

    @Override
    public void claim(FormReader source) {
        source.graph().nodes().stream()
                .filter(node -> node.operator().equals(Operators.MAT_MUL_INTEGER))
                .forEach(product -> DynamicDenseReader.claim(product, source));
    }

    @Override
    public Optional<? extends IntNode> result(OnnxNode last, FormReader source) {
        return Optional.ofNullable(source.dynamicProducts().get(last))
                .map(found -> found.read(last.output(), source));
    }

    /** {@return the permutation that makes one axis the last; with its inverse it is undone} */
    static int[] toLast(int rank, int axis) {
        int[] order = new int[rank];
        int at = 0;
        for (int i = 0; i < rank; i++) {
            if (i != axis) {
                order[at++] = i;
            }
        }
        order[at] = axis;
        return order;
    }

    /** {@return the permutation that makes the last axis another one} */
    static int[] fromLast(int rank, int axis) {
        int[] order = new int[rank];
        int[] there = toLast(rank, axis);
        for (int i = 0; i < rank; i++) {
            order[there[i]] = i;
        }
        return order;
    }

    /** Writes the operators of a node, whose names begin with the node's. */
    private static final class Writing {
        private final DynamicDense node;
        private final GraphWriter graph;
        private final String name;
        private final int rank;
        private final int axis;

        Writing(DynamicDense node, FormWriter target) {
            this.node = node;
            this.graph = target.target();
            this.name = node.name();
            this.rank = target.type(node.input()).shape().rank() + 1;
            this.axis = node.axis() + 1;
        }

        void write() {
            boolean last = axis == rank - 1;
            String rows =
                    last
                            ? node.input()
                            : step(
                                    Operators.TRANSPOSE,
                                    "rows",
                                    List.of(permutation(toLast(rank, axis))),
                                    node.input());
            String values = node.scale() == RuntimeScale.PER_ROW ? ofRows(rows) : ofBatch(rows);
            String bias = graph.floats(name + "/bias", node.bias().toArray(), node.bias().size());
            if (last) {
                graph.node(Operators.ADD, name, List.of(values, bias), name);
            } else {
                String biased = step(Operators.ADD, "biased", List.of(), values, bias);
                graph.node(Operators.TRANSPOSE, name, List.of(biased), name)
                        .add(NodeProto.ATTRIBUTE, permutation(fromLast(rank, axis)));
            }
        }

        private static Message permutation(int[] order) {
            return Attributes.of("perm", Arrays.stream(order).asLongStream().toArray());
        }

        private String ofRows(String rows) {
            String magnitudes = step(Operators.ABS, "magnitudes", List.of(), rows);
            List<Message> lastAxis = List.of(Attributes.of("axis", LAST));
            String place = step(Operators.ARG_MAX, "place", lastAxis, magnitudes);
            String largest =
                    step(Operators.GATHER_ELEMENTS, "largest", lastAxis, magnitudes, place);
            String least = number("smallest_scale", RuntimeParams.SMALLEST_SCALE);
            String most = number("largest_scale", RuntimeParams.LARGEST_SCALE);
            String found =
                    step(
                            Operators.DIV,
                            "range",
                            List.of(),
                            largest,
                            number("largest_code", RuntimeParams.LARGEST_CODE));
            String scale = step(Operators.CLIP, "scale", List.of(), found, least, most);
            String scaled = step(Operators.DIV, "scaled", List.of(), rows, scale);
            String zero = RecurrentWriter.weightZeroPoint(graph, name);
            String codes =
                    step(Operators.QUANTIZE, "codes", List.of(), scaled, number("one", 1), zero);
            String sums = sums(codes, zero, zero);
            String ofRow = step(Operators.MUL, "scaled_sums", List.of(), sums, scale);
            return step(Operators.MUL, "values", List.of(), ofRow, weightScales());
        }

        private String ofBatch(String rows) {
            String codes = graph.name(name + "/codes");
            String scale = graph.name(name + "/scale");
            String zero = graph.name(name + "/zero_point");
            graph.auxiliary(Operators.DYNAMIC_QUANTIZE, codes, List.of(rows), codes)
                    .add(NodeProto.OUTPUT, scale)
                    .add(NodeProto.OUTPUT, zero);
            String sums = sums(codes, zero, RecurrentWriter.weightZeroPoint(graph, name));
            String unit = step(Operators.MUL, "unit", List.of(), scale, weightScales());
            return step(Operators.MUL, "values", List.of(), sums, unit);
        }

        private String sums(String codes, String zero, String weightZero) {
            String weights = RecurrentWriter.weights(graph, name, node.weights());
            String sums =
                    step(
                            Operators.MAT_MUL_INTEGER,
                            "sums",
                            List.of(),
                            codes,
                            weights,
                            zero,
                            weightZero);
            return step(
                    Operators.CAST,
                    "sums_float",
                    List.of(Attributes.of("to", DataType.FLOAT.number())),
                    sums);
        }

        private String weightScales() {
            return graph.floats(
                    name + "/weight_scale", node.weights().scales(), node.weights().channels());
        }

        private String number(String part, float value) {
            return graph.floats(name + '/' + part, new float[] {value});
        }

        private String step(
                String operator, String part, List<Message> attributes, String... inputs) {
            String result = graph.name(name + '/' + part);
            graph.auxiliary(operator, result, new ArrayList<>(List.of(inputs)), result)
                    .set(NodeProto.ATTRIBUTE, attributes);
            return result;
        }
    }
}
