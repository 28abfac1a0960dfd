// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;

/**
 * A bias in float32 of an operator over codes: rounded to int32 at the scale of the products, input
 * scale times weight scale, as ONNX Runtime rounds it when it loads the file.
 */
final class FloatBias implements Rewrite {

    @Override
    public boolean apply(Op op, Rewriting graph) {
        if (op.is("Conv") || op.is("Gemm")) {
            return op.inputs().size() == 3 && rounded(op, op, 2, graph);
        }
        if (!op.is("Add") || op.inputs().size() != 2) {
            return false;
        }
        return added(op, 0, 1, graph) || added(op, 1, 0, graph);
    }

    private static boolean added(Op add, int product, int bias, Rewriting graph) {
        return graph.isReadOnce(add.input(product))
                && graph.maker(add.input(product), "MatMul")
                        .filter(matMul -> rounded(add, matMul, bias, graph))
                        .isPresent();
    }

    private static boolean rounded(Op op, Op product, int index, Rewriting graph) {
        Optional<Message> bias =
                graph.constant(op.input(index)).filter(t -> Tensor.isOf(t, DataType.FLOAT));
        Optional<float[]> scales = scales(product, graph);
        Optional<float[]> values = bias.flatMap(Tensor::floats);
        if (scales.isEmpty() || values.isEmpty() || Tensor.dimensions(bias.get()).length != 1) {
            return false;
        }
        int[] codes = codes(op, values.get(), scales.get());
        String name = op.input(index);
        List<String> inputs = new ArrayList<>(op.inputs());
        inputs.set(index, dequantized(name, codes, scales.get(), graph));
        graph.emit(op.withInputs(inputs));
        return true;
    }

    private static int[] codes(Op op, float[] values, float[] scales) {
        int[] codes = new int[values.length];
        for (int i = 0; i < codes.length; i++) {
            double code = Math.rint(values[i] / scales[scales.length == 1 ? 0 : i]);
            if (!(Math.abs(code) <= Integer.MAX_VALUE)) {
                throw op.refusal(
                        "has the bias %s in channel %d, which is %s units of the products' scale;"
                                + " int32 holds at most 2147483647, choose larger scales",
                        values[i], i, code);
            }
            codes[i] = (int) code;
        }
        return codes;
    }

    private static String dequantized(String name, int[] codes, float[] scales, Rewriting graph) {
        String bias = graph.constant(Tensor.ofInts(graph.unique(name), codes, codes.length));
        long[] sizes = scales.length == 1 ? new long[0] : new long[] {scales.length};
        String scale =
                graph.constant(Tensor.ofFloats(graph.unique(name + "/scale"), scales, sizes));
        return graph.emit("DequantizeLinear", name, List.of(bias, scale), Op.attribute("axis", 0));
    }

    /* One for each output channel, or one. */
    private static Optional<float[]> scales(Op product, Rewriting graph) {
        Optional<float[]> input = scale(product.input(0), graph);
        Optional<float[]> weights = scale(product.input(1), graph);
        if (input.isEmpty() || weights.isEmpty() || input.get().length != 1) {
            return Optional.empty();
        }
        float[] scales = weights.get().clone();
        for (int i = 0; i < scales.length; i++) {
            scales[i] = input.get()[0] * scales[i];
        }
        return Optional.of(scales);
    }

    private static Optional<float[]> scale(String values, Rewriting graph) {
        return graph.maker(values, "DequantizeLinear").flatMap(op -> graph.floats(op.input(1)));
    }
}
