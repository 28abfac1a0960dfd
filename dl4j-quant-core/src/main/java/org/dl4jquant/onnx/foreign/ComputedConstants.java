// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.LongStream;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.onnx.wire.AttributeProto;
import org.dl4jquant.onnx.wire.AttributeType;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.TensorProto;

/**
 * Constants that operators make, weights that the file holds in float32 before a QuantizeLinear,
 * and operators that change nothing.
 */
final class ComputedConstants implements Rewrite {

    private static final int MAX_FILLED = 1 << 20;

    @Override
    public boolean apply(Op op, Rewriting graph) {
        boolean quantizer =
                op.type().equals("QuantizeLinear") || op.type().equals("DequantizeLinear");
        if (op.domain().equals(Op.MICROSOFT) && quantizer) {
            graph.emit(op.own());
            return true;
        }
        if (!op.domain().isEmpty()) {
            return false;
        }
        return switch (op.type()) {
            case "Constant" -> constant(op, graph);
            case "Identity" -> op.inputs().size() == 1 && same(op, graph);
            case "Dropout" -> isInference(op, graph) && same(op, graph);
            case "Cast" -> cast(op, graph);
            case "ConstantOfShape" -> filled(op, graph);
            case "QuantizeLinear" -> quantized(op, graph);
            default -> false;
        };
    }

    private static boolean constant(Op op, Rewriting graph) {
        Optional<Message> value =
                op.attribute("value", AttributeType.TENSOR)
                        .map(found -> found.get(AttributeProto.T))
                        .or(() -> numbers(op));
        return value.filter(tensor -> define(op, tensor, graph)).isPresent();
    }

    private static Optional<Message> numbers(Op op) {
        Optional<Message> number =
                op.attribute("value_float", AttributeType.FLOAT)
                        .map(f -> Tensor.ofFloats("", new float[] {f.get(AttributeProto.F)}));
        return number.or(
                        () ->
                                op.attribute("value_int", AttributeType.INT)
                                        .map(i -> integer(i.get(AttributeProto.I))))
                .or(() -> op.integers("value_ints").map(all -> Tensor.ofLongs("", all)));
    }

    private static Message integer(long value) {
        return Tensor.ofIntegers("", DataType.INT64, new long[] {value});
    }

    private static boolean define(Op op, Message tensor, Rewriting graph) {
        boolean free = op.outputs().size() == 1 && graph.isFree(op.output());
        if (free) {
            graph.constant(Tensor.named(tensor, op.output()));
        }
        return free;
    }

    private static boolean same(Op op, Rewriting graph) {
        boolean can = !op.outputs().isEmpty() && graph.canReplace(op.output(), op.input(0));
        if (can) {
            graph.replace(op.output(), op.input(0));
        }
        return can;
    }

    private static boolean isInference(Op op, Rewriting graph) {
        boolean mask = op.outputs().size() > 1 && graph.isRead(op.outputs().get(1));
        String training = op.input(2);
        return !mask
                && (training.isEmpty()
                        || graph.integers(training)
                                .filter(values -> LongStream.of(values).allMatch(v -> v == 0))
                                .isPresent());
    }

    private static boolean cast(Op op, Rewriting graph) {
        long type = op.integer("to", 0);
        Optional<Message> constant = graph.constant(op.input(0));
        if (constant.isPresent()) {
            return DataType.of(type)
                    .filter(to -> recast(op, constant.get(), to, graph))
                    .isPresent();
        }
        Optional<Message> zeroPoint =
                graph.maker(op.input(0), "QuantizeLinear")
                        .flatMap(quantize -> graph.constant(quantize.input(2)));
        return zeroPoint.filter(zero -> zero.get(TensorProto.DATA_TYPE) == type).isPresent()
                && same(op, graph);
    }

    private static boolean recast(Op op, Message constant, DataType to, Rewriting graph) {
        if (Tensor.isOf(constant, to)) {
            return same(op, graph);
        }
        boolean unpacks =
                (Tensor.isOf(constant, DataType.INT4) && to == DataType.INT8)
                        || (Tensor.isOf(constant, DataType.UINT4) && to == DataType.UINT8);
        boolean known = to == DataType.INT32 || to == DataType.INT64 || unpacks;
        return known
                && Tensor.integers(constant)
                        .filter(
                                values ->
                                        define(
                                                op,
                                                Tensor.ofIntegers(
                                                        "",
                                                        to,
                                                        values,
                                                        Tensor.dimensions(constant)),
                                                graph))
                        .isPresent();
    }

    private static boolean filled(Op op, Rewriting graph) {
        Optional<long[]> sizes = graph.integers(op.input(0));
        if (sizes.isEmpty()) {
            return false;
        }
        long count = 1;
        for (long size : sizes.get()) {
            count = size < 0 || size > MAX_FILLED || count < 0 ? -1 : count * size;
            count = count > MAX_FILLED ? -1 : count;
        }
        if (count < 0) {
            return false;
        }
        int length = (int) count;
        Optional<Message> value =
                op.attribute("value", AttributeType.TENSOR)
                        .map(found -> found.get(AttributeProto.T));
        return filling(value, length, sizes.get())
                .filter(tensor -> define(op, tensor, graph))
                .isPresent();
    }

    private static Optional<Message> filling(Optional<Message> value, int length, long[] sizes) {
        if (value.isEmpty()) {
            return Optional.of(Tensor.ofFloats("", new float[length], sizes));
        }
        Message one = value.get();
        DataType type = DataType.of(one.get(TensorProto.DATA_TYPE)).orElse(DataType.UNDEFINED);
        if (type == DataType.FLOAT) {
            return Tensor.floats(one)
                    .filter(values -> values.length == 1)
                    .map(
                            values -> {
                                float[] all = new float[length];
                                Arrays.fill(all, values[0]);
                                return Tensor.ofFloats("", all, sizes);
                            });
        }
        boolean known =
                type == DataType.INT8
                        || type == DataType.UINT8
                        || type == DataType.INT32
                        || type == DataType.INT64;
        return Tensor.integers(one)
                .filter(values -> known && values.length == 1)
                .map(
                        values -> {
                            long[] all = new long[length];
                            Arrays.fill(all, values[0]);
                            return Tensor.ofIntegers("", type, all, sizes);
                        });
    }

    private static boolean quantized(Op op, Rewriting graph) {
        Optional<Message> values = graph.constant(op.input(0));
        Optional<float[]> scales = graph.floats(op.input(1));
        Optional<Message> zeroPoint = graph.constant(op.input(2));
        if (values.isEmpty() || scales.isEmpty() || (zeroPoint.isEmpty() && hasZero(op))) {
            return false;
        }
        DataType type =
                zeroPoint
                        .flatMap(zero -> DataType.of(zero.get(TensorProto.DATA_TYPE)))
                        .orElse(DataType.UINT8);
        long[] zeros = zeroPoint.flatMap(Tensor::integers).orElse(new long[scales.get().length]);
        boolean known = type == DataType.INT8 || type == DataType.UINT8;
        if (!known || zeros.length != scales.get().length || op.hasAttribute("block_size")) {
            return false;
        }
        long[] sizes = Tensor.dimensions(values.get());
        Optional<byte[]> codes =
                Tensor.floats(values.get())
                        .flatMap(all -> codes(op, all, sizes, scales.get(), zeros, type));
        return codes.filter(all -> define(op, Tensor.of("", type, all, sizes), graph)).isPresent();
    }

    private static boolean hasZero(Op op) {
        return !op.input(2).isEmpty();
    }

    private static Optional<byte[]> codes(
            Op op, float[] values, long[] sizes, float[] scales, long[] zeros, DataType type) {
        long axis = op.integer("axis", 1);
        int at = (int) (axis < 0 ? axis + sizes.length : axis);
        boolean each = scales.length > 1;
        if (scales.length == 0
                || (each && (at < 0 || at >= sizes.length || sizes[at] != scales.length))) {
            return Optional.empty();
        }
        int inner = 1;
        for (int i = at + 1; each && i < sizes.length; i++) {
            inner *= (int) sizes[i];
        }
        CodeRange range = type == DataType.INT8 ? CodeRange.signed(8) : CodeRange.unsigned(8);
        byte[] codes = new byte[values.length];
        for (int i = 0; i < codes.length; i++) {
            int channel = each ? i / inner % scales.length : 0;
            codes[i] =
                    (byte)
                            Rounding.quantize(
                                    values[i], scales[channel], (int) zeros[channel], range);
        }
        return Optional.of(codes);
    }
}
