// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;

/*
 * Each becomes DequantizeLinear, the operator over floats, and QuantizeLinear, which is what it
 * stands for and what ONNX Runtime fuses to it.
 */
/**
 * Operators of codes, which carry the scales of all their inputs and results (QOperator format).
 */
final class QLinearOperators implements Rewrite {

    private static final Map<String, String> OF_ONE =
            Map.of(
                    "QLinearAveragePool", "AveragePool",
                    "QLinearGlobalAveragePool", "GlobalAveragePool",
                    "QLinearLeakyRelu", "LeakyRelu",
                    "QLinearSigmoid", "Sigmoid",
                    "QLinearSoftmax", "Softmax");

    private static final Map<String, String> OF_TWO =
            Map.of("QLinearAdd", "Add", "QLinearMul", "Mul");

    private static final String DEQUANTIZE = "DequantizeLinear";

    @Override
    public boolean apply(Op op, Rewriting graph) {
        boolean microsoft = op.domain().equals(Op.MICROSOFT);
        if (op.output().isEmpty()) {
            return false;
        }
        if (op.is("QLinearConv")) {
            return op.inputs().size() >= 8 && product(op, "Conv", 0, 8, 6, graph);
        }
        if (op.is("QLinearMatMul")) {
            return op.inputs().size() >= 8 && product(op, "MatMul", 1, 8, 6, graph);
        }
        if (microsoft && op.type().equals("QGemm")) {
            int axis = op.integer("transB", 0) == 0 ? 1 : 0;
            return op.inputs().size() >= 6 && product(op, "Gemm", axis, 6, 7, graph);
        }
        if (microsoft && op.type().equals("QLinearConcat")) {
            return op.inputs().size() >= 5 && op.inputs().size() % 3 == 2 && concat(op, graph);
        }
        if (microsoft && OF_TWO.containsKey(op.type())) {
            return op.inputs().size() == 8 && ofTwo(op, graph);
        }
        return microsoft
                && OF_ONE.containsKey(op.type())
                && op.inputs().size() == 5
                && op.integer("channels_last", 0) == 0
                && ofOne(op, graph);
    }

    private static boolean ofOne(Op op, Rewriting graph) {
        String type = OF_ONE.getOrDefault(op.type(), "");
        String values = dequantized(op, 0, graph);
        List<Message> attributes = op.attributesWithout("channels_last", "opset");
        finish(op, type, List.of(values), attributes, 3, graph);
        return true;
    }

    private static boolean ofTwo(Op op, Rewriting graph) {
        List<String> values = List.of(dequantized(op, 0, graph), dequantized(op, 3, graph));
        finish(op, OF_TWO.getOrDefault(op.type(), ""), values, op.attributes(), 6, graph);
        return true;
    }

    private static boolean concat(Op op, Rewriting graph) {
        List<String> values = new ArrayList<>();
        for (int i = 2; i < op.inputs().size(); i += 3) {
            values.add(dequantized(op, i, graph));
        }
        finish(op, "Concat", values, op.attributes(), 0, graph);
        return true;
    }

    private static boolean product(
            Op op, String type, int axis, int bias, int result, Rewriting graph) {
        Optional<float[]> input = graph.floats(op.input(1));
        Optional<float[]> weights = graph.floats(op.input(4));
        if (input.isEmpty() || weights.isEmpty() || input.get().length != 1) {
            return false;
        }
        List<String> values = new ArrayList<>(List.of(dequantized(op, 0, graph)));
        values.add(
                graph.emit(
                        DEQUANTIZE,
                        op.name(),
                        List.of(op.input(3), op.input(4), op.input(5)),
                        Op.attribute("axis", axis)));
        if (!op.input(bias).isEmpty()) {
            values.add(bias(op, op.input(bias), input.get()[0], weights.get(), graph));
        }
        finish(op, type, values, op.attributes(), result, graph);
        return true;
    }

    private static String bias(Op op, String codes, float input, float[] weights, Rewriting graph) {
        float[] scales = weights.clone();
        for (int i = 0; i < scales.length; i++) {
            scales[i] = input * scales[i];
        }
        long[] sizes = scales.length == 1 ? new long[0] : new long[] {scales.length};
        String scale =
                graph.constant(
                        Tensor.ofFloats(graph.unique(op.output() + "/bias_scale"), scales, sizes));
        return graph.emit(DEQUANTIZE, op.name(), List.of(codes, scale), Op.attribute("axis", 0));
    }

    private static String dequantized(Op op, int index, Rewriting graph) {
        List<String> inputs = List.of(op.input(index), op.input(index + 1), op.input(index + 2));
        return graph.emit(DEQUANTIZE, op.name(), inputs);
    }

    private static void finish(
            Op op,
            String type,
            List<String> values,
            List<Message> attributes,
            int result,
            Rewriting graph) {
        if (op.input(result).isEmpty()) {
            graph.emit(Op.of(type, op.name(), values, op.output(), attributes));
            graph.isInteger(op.output());
            return;
        }
        String floats = graph.unique(op.output() + "/float");
        graph.emit(Op.of(type, op.name(), values, floats, attributes));
        if (graph.type(op.input(0)) != DataType.INT8) {
            graph.isInteger(floats);
        }
        graph.emit(
                Op.of(
                        "QuantizeLinear",
                        op.name(),
                        List.of(floats, op.input(result), op.input(result + 1)),
                        op.output(),
                        List.of()));
    }
}
