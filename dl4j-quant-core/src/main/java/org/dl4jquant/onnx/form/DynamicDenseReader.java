// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.FloatBias;
import org.dl4jquant.numeric.RuntimeParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.onnx.wire.DataType;
import org.jspecify.annotations.Nullable;

/**
 * A product with rows of floats that a file computes with scales found at run time: what {@link
 * DynamicDenseForm} writes, and what other tools make of DynamicQuantizeLinear and MatMulInteger.
 */
final class DynamicDenseReader {

    private static final int BYTE_ZERO = 128;

    private final FormReader source;
    private final OnnxNode product;
    private final RuntimeScale scale;
    private final List<OnnxNode> parts = new ArrayList<>();
    private String rows = "";
    private String scales = "";
    private String bias = "";
    private int transposed = -1;

    private DynamicDenseReader(OnnxNode product, RuntimeScale scale, FormReader source) {
        this.product = product;
        this.scale = scale;
        this.source = source;
    }

    /** Takes the operators around a product of codes that are made at run time, but the last. */
    static void claim(OnnxNode product, FormReader source) {
        Optional<RuntimeScale> scale = scaleOf(product, source);
        if (scale.isPresent() && !source.isTaken(product)) {
            new DynamicDenseReader(product, scale.get(), source).claim();
        }
    }

    private static Optional<RuntimeScale> scaleOf(OnnxNode product, FormReader source) {
        OnnxGraph graph = source.graph();
        if (product.inputs().isEmpty()) {
            return Optional.empty();
        }
        Optional<OnnxNode> codes = graph.maker(product.input(0));
        if (codes.filter(node -> node.operator().equals(Operators.DYNAMIC_QUANTIZE)).isPresent()) {
            return Optional.of(RuntimeScale.PER_BATCH);
        }
        return codes.filter(node -> node.operator().equals(Operators.QUANTIZE))
                .flatMap(node -> graph.maker(node.input(0), Operators.DIV))
                .map(node -> RuntimeScale.PER_ROW);
    }

    /** {@return whether an operator begins such a product, so that it reads floats} */
    static boolean begins(OnnxNode node, OnnxGraph graph) {
        return switch (node.operator()) {
            case Operators.ABS, Operators.DYNAMIC_QUANTIZE -> true;
            case Operators.DIV ->
                    graph.consumers(node.output()).stream()
                            .anyMatch(next -> next.operator().equals(Operators.QUANTIZE));
            case Operators.TRANSPOSE ->
                    graph.consumers(node.output()).stream().anyMatch(next -> begins(next, graph));
            default -> false;
        };
    }

    private OnnxNode made(OnnxNode reader, int index, String operator) {
        OnnxNode maker =
                source.graph()
                        .maker(reader.input(index), operator)
                        .orElseThrow(
                                () ->
                                        reader.refusal(
                                                "is part of a product whose scale is found at run"
                                                        + " time and reads '%s', which must be the"
                                                        + " result of a %s",
                                                reader.input(index), operator));
        maker.requireAttributes();
        parts.add(maker);
        return maker;
    }

    private OnnxNode read(String tensor, String operator, OnnxNode from) {
        OnnxNode next =
                source.graph()
                        .onlyConsumer(tensor)
                        .filter(node -> node.operator().equals(operator))
                        .orElseThrow(
                                () ->
                                        from.refusal(
                                                "is part of a product whose scale is found at run"
                                                        + " time; one %s must read its result '%s'",
                                                operator, tensor));
        parts.add(next);
        return next;
    }

    private void claim() {
        product.requireInputs(4, 4);
        product.requireAttributes();
        parts.add(product);
        String unit = scale == RuntimeScale.PER_ROW ? claimRows() : claimBatch();
        OnnxNode cast = read(product.output(), Operators.CAST, product);
        cast.requireAttributes("to");
        cast.requireInteger("to", 0, DataType.FLOAT.number());
        OnnxNode values = read(cast.output(), Operators.MUL, cast);
        String other = other(values, cast.output());
        if (scale == RuntimeScale.PER_ROW) {
            values.require(other.equals(unit), "multiplies by '%s'; it must be '%s'", other, unit);
            OnnxNode scaled = read(values.output(), Operators.MUL, values);
            scales = other(scaled, values.output());
            finish(scaled);
        } else {
            OnnxNode units =
                    source.graph()
                            .maker(other, Operators.MUL)
                            .orElseThrow(
                                    () ->
                                            values.refusal(
                                                    "multiplies by '%s', which must be the product"
                                                            + " of the two scales",
                                                    other));
            parts.add(units);
            scales = other(units, unit);
            finish(values);
        }
    }

    private static String other(OnnxNode node, String one) {
        node.requireInputs(2, 2);
        node.requireAttributes();
        node.require(
                node.inputs().contains(one), "multiplies %s; one must be '%s'", node.inputs(), one);
        return node.input(0).equals(one) ? node.input(1) : node.input(0);
    }

    private String claimRows() {
        OnnxNode quantize = source.graph().maker(product.input(0)).orElseThrow();
        quantize.requireInputs(3, 3);
        parts.add(quantize);
        source.claimQuantizer(quantize);
        requireNumber(quantize, 1, 1);
        requireZero(quantize.input(2), quantize);
        requireZero(product.input(2), product);
        OnnxNode scaled = made(quantize, 0, Operators.DIV);
        rows = scaled.input(0);
        String unit = scaled.input(1);
        OnnxNode bounded =
                source.graph()
                        .maker(unit)
                        .filter(node -> isBound(node.operator()))
                        .orElseThrow(
                                () ->
                                        scaled.refusal(
                                                "divides by '%s'; it must be the result of a Clip"
                                                        + " or Max, so that it is never 0",
                                                unit));
        bounded.requireAttributes();
        parts.add(bounded);
        requireBounds(bounded);
        OnnxNode range = made(bounded, 0, Operators.DIV);
        requireNumber(range, 1, RuntimeParams.LARGEST_CODE);
        OnnxNode largest =
                source.graph().maker(range.input(0)).orElseThrow(() -> notLargest(range));
        parts.add(largest);
        largest.requireAttributes("axis", "axes", "keepdims");
        if (largest.operator().equals(Operators.GATHER_ELEMENTS)) {
            OnnxNode place =
                    source.graph()
                            .maker(largest.input(1), Operators.ARG_MAX)
                            .orElseThrow(() -> notLargest(range));
            place.requireAttributes("axis", "keepdims");
            place.requireInteger("axis", 0, -1);
            place.requireInteger("keepdims", 1, 1);
            largest.requireInteger("axis", 0, -1);
            place.require(
                    place.input(0).equals(largest.input(0)),
                    "must find the largest of '%s'",
                    largest.input(0));
            parts.add(place);
        } else {
            throw notLargest(range);
        }
        OnnxNode magnitudes = made(largest, 0, Operators.ABS);
        magnitudes.require(
                magnitudes.input(0).equals(rows), "must be of '%s', whose codes are made", rows);
        return unit;
    }

    private static boolean isBound(String operator) {
        return operator.equals(Operators.CLIP);
    }

    private static IllegalArgumentException notLargest(OnnxNode range) {
        return range.refusal(
                "divides '%s', which must be the largest magnitude along the last axis",
                range.input(0));
    }

    private void requireBounds(OnnxNode bounded) {
        bounded.requireInputs(3, 3);
        requireNumber(bounded, 1, RuntimeParams.SMALLEST_SCALE);
        requireNumber(bounded, 2, RuntimeParams.LARGEST_SCALE);
    }

    private String claimBatch() {
        OnnxNode quantize = source.graph().maker(product.input(0)).orElseThrow();
        quantize.requireInputs(1, 1);
        quantize.requireAttributes();
        quantize.require(
                quantize.outputs().size() == 3
                        && product.input(2).equals(quantize.outputs().get(2)),
                "makes %s; a MatMulInteger must read its codes and its zero point",
                quantize.outputs());
        parts.add(quantize);
        rows = quantize.input(0);
        return quantize.outputs().get(1);
    }

    private void requireNumber(OnnxNode node, int index, float value) {
        float found = source.constants().scalar(node.input(index));
        node.require(
                found == value,
                "has the constant %s; where a row's scale is found at run time it is %s",
                found,
                value);
    }

    private void requireZero(String constant, OnnxNode node) {
        int[] zero = source.constants().codes(constant, "a zero point");
        node.require(
                zero.length == 1 && zero[0] == BYTE_ZERO,
                "has the zero point '%s'; for rows it must be %d",
                constant,
                BYTE_ZERO);
    }

    /* The bias is what an Add of a constant adds; the last operator is left for its own turn. */
    private void finish(OnnxNode values) {
        OnnxNode last = values;
        Optional<OnnxNode> add = next(last, Operators.ADD).filter(this::addsConstant);
        if (add.isPresent()) {
            bias = other(add.get(), last.output());
            last = add.get();
            parts.add(last);
        }
        OnnxNode turned = turned(last);
        if (turned != null) {
            last = turned;
            parts.add(last);
        }
        parts.remove(last);
        parts.forEach(source::take);
        source.dynamicProducts().put(last, this);
    }

    private Optional<OnnxNode> next(OnnxNode node, String operator) {
        return source.graph()
                .onlyConsumer(node.output())
                .filter(reader -> reader.operator().equals(operator));
    }

    private boolean addsConstant(OnnxNode add) {
        return add.inputs().size() == 2
                && add.inputs().stream().anyMatch(input -> source.constants().has(input));
    }

    /* Rows along another axis than the last are turned before, and back after. */
    private @Nullable OnnxNode turned(OnnxNode last) {
        OnnxNode before = source.graph().maker(rows, Operators.TRANSPOSE).orElse(null);
        OnnxNode after = next(last, Operators.TRANSPOSE).orElse(null);
        if (before == null || after == null || !parts.containsAll(readers(rows))) {
            return null;
        }
        int[] order = before.allIntegers("perm");
        for (int axis = 1; axis < order.length - 1; axis++) {
            if (Arrays.equals(order, DynamicDenseForm.toLast(order.length, axis))
                    && Arrays.equals(
                            after.allIntegers("perm"),
                            DynamicDenseForm.fromLast(order.length, axis))) {
                before.requireAttributes("perm");
                after.requireAttributes("perm");
                parts.add(before);
                rows = before.input(0);
                transposed = axis - 1;
                return after;
            }
        }
        return null;
    }

    private List<OnnxNode> readers(String tensor) {
        return source.graph().consumers(tensor);
    }

    /** {@return the node} */
    DynamicDense read(String name, FormReader reader) {
        product.require(
                reader.isFloats(rows),
                "multiplies codes of '%s', which is neither an input nor a float32 result",
                rows);
        Shape shape = reader.shape(rows);
        WeightTensor weights = weights(name);
        float[] biases = new float[weights.channels()];
        if (!bias.isEmpty()) {
            float[] found = reader.constants().floats(bias);
            reader.constants().requireVector(bias);
            product.require(
                    found.length == biases.length,
                    "has %d biases '%s' for %d output channels",
                    found.length,
                    bias,
                    biases.length);
            biases = found;
        }
        return new DynamicDense(
                name,
                rows,
                transposed < 0 ? shape.rank() - 1 : transposed,
                weights,
                FloatBias.of(biases),
                scale);
    }

    private WeightTensor weights(String name) {
        Constants constants = source.constants();
        String tensor = product.input(1);
        List<Integer> dimensions = constants.dimensions(tensor);
        product.require(
                dimensions.size() == 2 && !dimensions.contains(0),
                "has weights of the dimensions %s; there must be 2, inputs and outputs",
                dimensions);
        int in = dimensions.get(0);
        int out = dimensions.get(1);
        int[] values = constants.codes(tensor, "weights");
        int[] zeros = constants.codes(product.input(3), "their zero point");
        product.require(
                (zeros.length == 1 || zeros.length == out)
                        && constants.haveOneSign(tensor, product.input(3)),
                "has %d zero points '%s' for %d output channels",
                zeros.length,
                product.input(3),
                out);
        CodeRange range = WeightsForm.range(name, source);
        byte[] codes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            int channel = i % out;
            int code = values[i] - zeros[zeros.length == 1 ? 0 : channel];
            product.require(
                    range.contains(code),
                    "has a weight of %d, less its zero point; %d to %d are understood",
                    code,
                    range.min(),
                    range.max());
            codes[channel * in + i / out] = (byte) code;
        }
        return WeightTensor.of(Shape.of(out, in), range, codes, scales(out), new int[out]);
    }

    private float[] scales(int out) {
        float[] found = source.constants().floats(scales);
        source.constants().requireVector(scales);
        product.require(
                found.length == 1 || found.length == out,
                "has %d weight scales '%s' for %d output channels",
                found.length,
                scales,
                out);
        if (found.length == out) {
            return found;
        }
        float[] repeated = new float[out];
        Arrays.fill(repeated, found[0]);
        return repeated;
    }
}
