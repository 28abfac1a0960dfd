// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.TensorProto.DataType;

/**
 * A random QDQ model in the forms that other exporters write, with decimal scales: their products
 * and quotients hit ties, where float and integer arithmetic round apart; random scales never do.
 */
final class DecimalModel {

    private static final double[] SCALES = {0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5};
    private static final double[] WEIGHT_SCALES = {0.01, 0.02, 0.05, 0.1};
    private static final int[] OPSETS = {13, 17, 19, 21};
    private static final int SIDE = 4;

    /**
     * A tensor of codes.
     *
     * @param name its name
     * @param scale units per code
     * @param signed whether it is int8
     * @param zeroPoint the code of 0
     * @param channels image channels, or elements of a vector
     * @param side rows and columns; 0 for a vector
     */
    private record Codes(
            String name, double scale, boolean signed, int zeroPoint, int channels, int side) {
        int[] shape() {
            return side == 0 ? new int[] {channels} : new int[] {channels, side, side};
        }
    }

    private final Random random;
    private final QdqModel model = new QdqModel();
    private final List<Codes> tensors = new ArrayList<>();
    private final Set<String> read = new HashSet<>();
    private final Set<String> shared = new HashSet<>();
    private final boolean mixed;
    private final boolean signed;
    private final double inputScale;
    private int count;

    private DecimalModel(long seed) {
        random = new Random(seed * 0x9E3779B97F4A7C15L); // small seeds alone begin alike
        mixed = random.nextInt(4) == 0;
        signed = random.nextBoolean();
        inputScale = scale();
    }

    /** The model of a seed. */
    static DecimalModel of(long seed) {
        DecimalModel made = new DecimalModel(seed);
        made.make();
        return made;
    }

    byte[] bytes() {
        return model.bytes();
    }

    /** Units per code of the input. */
    double inputScale() {
        return inputScale;
    }

    private double scale() {
        return SCALES[random.nextInt(SCALES.length)];
    }

    private void make() {
        model.opset(OPSETS[random.nextInt(OPSETS.length)]);
        model.input("x", 2, SIDE, SIDE);
        boolean type = type();
        Codes input = define("q", inputScale, type, zeroPoint(type), 2, SIDE);
        model.quantize("q", "x");
        tensors.add(input);
        int operators = 1 + random.nextInt(4);
        for (int i = 0; i < operators; i++) {
            operator();
        }
        for (Codes tensor : List.copyOf(tensors)) {
            if (!read.contains(tensor.name()) || random.nextInt(6) == 0) {
                leave(tensor);
            }
        }
    }

    private boolean type() {
        return mixed ? random.nextBoolean() : signed;
    }

    private int zeroPoint(boolean signedType) {
        int least = signedType ? -128 : 0;
        return switch (random.nextInt(5)) {
            case 0 -> least;
            case 1 -> least + 20;
            case 2 -> least + 255;
            default -> 0;
        };
    }

    private Codes define(
            String name, double scale, boolean type, int zeroPoint, int channels, int side) {
        if (random.nextInt(16) == 0) {
            model.vectorParams(name, scale, type, zeroPoint, random.nextBoolean());
        } else {
            model.params(name, scale, type, zeroPoint);
        }
        return new Codes(name, scale, type, zeroPoint, channels, side);
    }

    private void leave(Codes tensor) {
        int kind = random.nextInt(3);
        DataType type = tensor.signed() ? DataType.INT8 : DataType.UINT8;
        if (kind != 0) {
            model.output(tensor.name(), type, tensor.shape());
        }
        if (kind != 1) {
            String values = tensor.name() + ".out" + count++;
            dequantize(tensor, values);
            model.output(values, DataType.FLOAT, tensor.shape());
        }
    }

    private void dequantize(Codes tensor, String values) {
        if (!tensor.signed() && tensor.zeroPoint() == 0 && random.nextInt(16) == 0) {
            model.node("DequantizeLinear", values, tensor.name(), tensor.name() + ".scale");
        } else {
            model.node(
                    "DequantizeLinear",
                    values,
                    tensor.name(),
                    tensor.name() + ".scale",
                    tensor.name() + ".zero");
        }
    }

    private String view(Codes tensor) {
        read.add(tensor.name());
        boolean share = random.nextBoolean();
        String values = tensor.name() + (share ? ".f" : ".f" + count++);
        if (!share || shared.add(tensor.name())) {
            dequantize(tensor, values);
        }
        return values;
    }

    private Codes any(boolean image) {
        List<Codes> fit = tensors.stream().filter(t -> t.side() > 0 == image).toList();
        return fit.isEmpty() ? null : fit.get(random.nextInt(fit.size()));
    }

    private void operator() {
        Codes from = any(true);
        switch (random.nextInt(10)) {
            case 0, 1, 2 -> convolution(from);
            case 3 -> add(from);
            case 4 -> pool(from, "MaxPool");
            case 5 -> pool(from, "AveragePool");
            case 6 -> {
                String result = "n" + count++;
                model.node("GlobalAveragePool", result, view(from));
                finish(result, from.channels(), 1, false);
            }
            case 7 -> {
                Codes other = any(true);
                if (other.side() == from.side()) {
                    String result = "n" + count++;
                    model.node(
                            "Concat",
                            result,
                            List.of(GraphProtoBuilder.attribute("axis", 1)),
                            view(from),
                            view(other));
                    finish(result, from.channels() + other.channels(), from.side(), false);
                }
            }
            default -> {
                Codes vector = any(false);
                if (vector == null) {
                    String result = "n" + count++;
                    model.node("Flatten", result, view(from));
                    keep(result, from, from.channels() * from.side() * from.side(), 0);
                } else {
                    dense(vector);
                }
            }
        }
    }

    private List<Integer> codes(int size, int most) {
        return random.ints(size, -most, most + 1).boxed().toList();
    }

    /** The weights' and the bias's names; scales per channel or one. */
    private String[] weights(Codes from, int axis, int channels, boolean biased, long... shape) {
        String name = "w" + count++;
        int size = 1;
        for (long dimension : shape) {
            size *= (int) dimension;
        }
        boolean perChannel = random.nextBoolean();
        float[] scales = new float[perChannel ? channels : 1];
        float[] biasScales = new float[channels];
        for (int i = 0; i < channels; i++) {
            if (i < scales.length) {
                scales[i] = (float) WEIGHT_SCALES[random.nextInt(WEIGHT_SCALES.length)];
            }
            biasScales[i] = (float) from.scale() * scales[perChannel ? i : 0];
        }
        boolean vector = random.nextInt(12) == 0;
        if (perChannel || vector) {
            model.floats(name + ".scale", scales);
        } else {
            model.scalar(name + ".scale", scales[0]);
        }
        if (random.nextInt(3) > 0) {
            List<Integer> codes = codes(size, 127);
            model.weightsWithZeros(
                    name, axis, perChannel ? channels : vector ? 1 : 0, codes, shape);
        } else {
            model.weights(name, axis, codes(size, RuntimeRun.SAFE_WEIGHT), shape);
        }
        if (!biased) {
            return new String[] {name + ".f"};
        }
        String bias = name + "b";
        if (perChannel) {
            model.floats(bias + ".scale", biasScales);
        } else {
            model.scalar(bias + ".scale", biasScales[0]);
        }
        int[] biases = random.ints(channels, -200, 200).toArray();
        if (random.nextBoolean()) {
            model.biasWithZeros(bias, 0, perChannel ? channels : 0, biases);
        } else {
            model.bias(bias, biases);
        }
        return new String[] {name + ".f", bias + ".f"};
    }

    private void convolution(Codes from) {
        int groups = random.nextInt(3) == 0 ? from.channels() : 1;
        int out = groups * (1 + random.nextInt(2));
        int kernel = random.nextBoolean() && from.side() > 1 ? 3 : 1;
        int before = kernel == 3 ? 1 + random.nextInt(2) : 0;
        int after = kernel == 3 ? random.nextInt(3) : 0;
        int stride = 1 + random.nextInt(2);
        int side = (from.side() + before + after - kernel) / stride + 1;
        String[] weights =
                weights(
                        from,
                        0,
                        out,
                        random.nextBoolean(),
                        out,
                        from.channels() / groups,
                        kernel,
                        kernel);
        String result = "n" + count++;
        List<AttributeProto> attributes =
                List.of(
                        GraphProtoBuilder.attribute("group", groups),
                        GraphProtoBuilder.attribute("strides", stride, stride),
                        GraphProtoBuilder.attribute("pads", before, before, after, after));
        model.node("Conv", result, attributes, inputs(view(from), weights));
        finish(result, out, side, true);
        if (random.nextInt(30) == 0) { // the same weights for another result
            String twin = "n" + count++;
            model.node("Conv", twin, attributes, inputs(view(from), weights));
            finish(twin, out, side, true);
        }
    }

    private static String[] inputs(String first, String... others) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(others));
        return all.toArray(String[]::new);
    }

    private void dense(Codes from) {
        int out = 3;
        boolean biased = random.nextBoolean();
        String result = "n" + count++;
        int form = random.nextInt(3);
        if (form == 0) {
            String[] weights = weights(from, 0, out, biased, out, from.channels());
            model.node(
                    "Gemm",
                    result,
                    List.of(GraphProtoBuilder.attribute("transB", 1)),
                    inputs(view(from), weights));
        } else if (form == 1) {
            String[] weights = weights(from, 1, out, biased, from.channels(), out);
            model.node("Gemm", result, inputs(view(from), weights));
        } else {
            String[] weights = weights(from, 1, out, biased, from.channels(), out);
            model.node("MatMul", result, view(from), weights[0]);
            if (biased) {
                String product = result;
                result = "n" + count++;
                model.node("Add", result, product, weights[1]);
            }
        }
        if (random.nextInt(3) == 0) {
            model.output(result, DataType.FLOAT, out);
        } else {
            finish(result, out, 0, true);
        }
    }

    private void add(Codes from) {
        Codes other = any(true);
        if (other.side() == from.side() && other.channels() == from.channels()) {
            String result = "n" + count++;
            model.node("Add", result, view(from), view(other));
            finish(result, from.channels(), from.side(), true);
        }
    }

    private void pool(Codes from, String operator) {
        if (from.side() < 2) {
            return;
        }
        String result = "n" + count++;
        boolean padded = random.nextBoolean();
        int pad = padded ? 1 : 0;
        List<AttributeProto> attributes =
                new ArrayList<>(
                        List.of(
                                GraphProtoBuilder.attribute("kernel_shape", 2, 2),
                                GraphProtoBuilder.attribute("strides", 2, 2),
                                GraphProtoBuilder.attribute("pads", pad, pad, pad, pad)));
        if (operator.equals("AveragePool")) {
            attributes.add(
                    GraphProtoBuilder.attribute("count_include_pad", random.nextBoolean() ? 1 : 0));
        }
        model.node(operator, result, attributes, view(from));
        int side = (from.side() + 2 * pad - 2) / 2 + 1;
        if (operator.equals("MaxPool")) {
            keep(result, from, from.channels(), side);
        } else {
            finish(result, from.channels(), side, false);
        }
    }

    /** Quantizes at the scale of what it moves. */
    private void keep(String values, Codes from, int channels, int side) {
        String name = "y" + count++;
        tensors.add(define(name, from.scale(), from.signed(), from.zeroPoint(), channels, side));
        model.quantize(name, values);
    }

    private void finish(String values, int channels, int side, boolean clampable) {
        String name = "y" + count++;
        boolean type = type();
        int zeroPoint = zeroPoint(type);
        double scale = scale();
        String last = values;
        int least = type ? -128 : 0;
        float lowest = (float) scale * (least - zeroPoint);
        float highest = (float) scale * (least + 255 - zeroPoint);
        int wish = random.nextInt(12);
        for (int clamps = wish < 5 ? 0 : wish < 11 ? 1 : 2; clamps > 0; clamps--) {
            boolean cuts = clampable && random.nextBoolean();
            last = clamp(last, lowest, highest, cuts);
        }
        tensors.add(define(name, scale, type, zeroPoint, channels, side));
        if (!type && zeroPoint == 0 && random.nextInt(16) == 0) {
            model.node("QuantizeLinear", name, last, name + ".scale");
        } else {
            model.quantize(name, last);
        }
    }

    private String clamp(String values, float lowest, float highest, boolean cuts) {
        String result = "n" + count++;
        if (random.nextBoolean() && (cuts || lowest == 0)) {
            model.node("Relu", result, values);
            return result;
        }
        String bound = "c" + count++;
        float low = cuts ? random.nextInt(3) - 1 : random.nextBoolean() ? -1000 : lowest;
        float high = cuts ? 4 + random.nextInt(3) : random.nextBoolean() ? 1000 : highest;
        model.scalar(bound + ".low", low).scalar(bound + ".high", high);
        model.node("Clip", result, values, bound + ".low", bound + ".high");
        return result;
    }
}
