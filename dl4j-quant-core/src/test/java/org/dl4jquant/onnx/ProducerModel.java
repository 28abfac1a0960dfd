// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.numeric.Shape;

/** Random small networks as quantizers of other tools write them. */
final class ProducerModel {

    /** How a tool writes a network. */
    enum Style {
        /** ONNX Runtime's quantizer: int8 weights with a scale for each channel. */
        QDQ_U8S8,
        /** The same with asymmetric uint8 weights of one scale. */
        QDQ_U8U8,
        /** The same with symmetric int8 activations. */
        QDQ_S8S8,
        /** TensorRT's recipe and PyTorch's: float weights before a QuantizeLinear, float bias. */
        FLOAT_WEIGHTS,
        /** Operators of codes. */
        Q_OPERATOR
    }

    private static final String MICROSOFT = "com.microsoft";
    private static final int CHANNELS = 4;

    private final Random random;
    private final Style style;
    private final int opset;
    private final GraphProtoBuilder graph = new GraphProtoBuilder(List.of());
    private int count;
    private Tensor at;

    /* Codes: the floats that are dequantized from them are named name.f. */
    private record Tensor(String name, boolean signed, int channels, int height, int width) {}

    private ProducerModel(Style style, long seed) {
        this.random = new Random(seed);
        this.style = style;
        this.opset = 13 + random.nextInt(5) * 2;
        int height = 5 + random.nextInt(4);
        int width = 5 + random.nextInt(4);
        graph.input("x", Shape.of(CHANNELS, height, width));
        this.at = new Tensor("x", signed(), CHANNELS, height, width);
        quantize("x", at);
    }

    /**
     * {@return a model}
     *
     * @param style how it is written
     * @param seed of its layers and numbers
     */
    static byte[] of(Style style, long seed) {
        ProducerModel model = new ProducerModel(style, seed);
        int layers = 1 + model.random.nextInt(4);
        for (int layer = 0; layer < layers; layer++) {
            model.layer();
        }
        return model.finish();
    }

    private boolean signed() {
        return style == Style.QDQ_S8S8;
    }

    private byte[] finish() {
        boolean head = random.nextBoolean();
        if (head) {
            head();
        }
        Shape shape = head ? Shape.of(at.channels) : Shape.of(at.channels, at.height, at.width);
        String values = dequantized(at.name);
        if (head && random.nextBoolean()) {
            node("Softmax", "probabilities", values).addAttribute(attribute("axis", -1));
            values = "probabilities";
        }
        node("Identity", "y", values);
        graph.output("y", DataType.FLOAT, shape);
        ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(opset > 20 ? 10 : 8);
        model.addOpsetImportBuilder().setVersion(opset);
        model.addOpsetImportBuilder().setDomain(MICROSOFT).setVersion(1);
        GraphProto.Builder built = graph.build().toBuilder();
        built.getInputBuilder(0)
                .getTypeBuilder()
                .getTensorTypeBuilder()
                .getShapeBuilder()
                .getDimBuilder(0)
                .clearDimParam()
                .setDimValue(1);
        return model.setGraph(built).build().toByteArray();
    }

    private void layer() {
        switch (random.nextInt(8)) {
            case 0, 1 -> convolution(1 + random.nextInt(6), 1);
            case 2 -> convolution(at.channels * (1 + random.nextInt(2)), at.channels);
            case 3 -> function();
            case 4 -> maxPool();
            case 5 -> averagePool();
            case 6 -> residual();
            default -> move();
        }
    }

    private NodeProto.Builder node(String operator, String output, String... inputs) {
        return graph.node(operator, output + "#", List.of(inputs), output);
    }

    private static AttributeProto attribute(String name, long... values) {
        return values.length == 1
                ? GraphProtoBuilder.attribute(name, values[0])
                : GraphProtoBuilder.attribute(name, values);
    }

    private String name(String what) {
        return what + count++;
    }

    private float scale() {
        return 0.005f + random.nextFloat() / 20;
    }

    private void params(String name, boolean relu) {
        graph.floats(name + ".s", new float[] {scale()});
        int zero = signed() ? 0 : relu ? 0 : 60 + random.nextInt(120);
        graph.bytes(
                name + ".z", signed() ? DataType.INT8 : DataType.UINT8, new byte[] {(byte) zero});
    }

    private String dequantized(String codes) {
        return dequantized(codes, codes);
    }

    private String dequantized(String codes, String params) {
        String floats = name(codes + ".f");
        node("DequantizeLinear", floats, codes, params + ".s", params + ".z");
        return floats;
    }

    /* Quantizes values; half of the time a Relu stands before. */
    private void quantize(String values, Tensor shape) {
        String codes = name("t");
        boolean relu = !values.equals("x") && random.nextBoolean();
        params(codes, relu);
        String from = values;
        if (relu && random.nextBoolean()) {
            from = name("relu");
            node("Relu", from, values);
        }
        node("QuantizeLinear", codes, from, codes + ".s", codes + ".z");
        at = new Tensor(codes, signed(), shape.channels, shape.height, shape.width);
    }

    /* An operator over codes: between its dequantize and quantize nodes, or one of codes. */
    private void operator(
            String operator, List<AttributeProto> attributes, Tensor result, String... inputs) {
        if (style == Style.Q_OPERATOR) {
            String codes = name("t");
            params(codes, false);
            List<String> all = new ArrayList<>();
            Arrays.stream(inputs).forEach(in -> all.addAll(List.of(in, in + ".s", in + ".z")));
            all.addAll(List.of(codes + ".s", codes + ".z"));
            graph.node("QLinear" + operator, codes + "#", all, codes)
                    .setDomain(MICROSOFT)
                    .addAllAttribute(attributes);
            at = new Tensor(codes, false, result.channels, result.height, result.width);
            return;
        }
        String values = name("v");
        String[] floats = Arrays.stream(inputs).map(this::dequantized).toArray(String[]::new);
        node(operator, values, floats).addAllAttribute(attributes);
        quantize(values, result);
    }

    /** Weights of a layer: what its product reads, and the names of scale and zero point. */
    private record Weights(String values, String codes, String bias) {}

    private Weights weights(int outputs, long... dimensions) {
        String name = name("w");
        int elements = (int) Arrays.stream(dimensions).reduce(1, (a, b) -> a * b);
        boolean each = style != Style.QDQ_U8U8;
        float[] scales = new float[each ? outputs : 1];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = scale() / 4;
        }
        long[] sizes = each ? new long[] {outputs} : new long[0];
        graph.floats(name + ".s", scales, sizes);
        codes(name, elements, scales.length, sizes, dimensions);
        NodeProto.Builder weights =
                node("DequantizeLinear", name + ".f", name, name + ".s", name + ".z");
        if (each) {
            weights.addAttribute(attribute("axis", 0));
        }
        return new Weights(name + ".f", name, bias(name, outputs));
    }

    private void codes(String name, int elements, int zeros, long[] sizes, long[] dimensions) {
        byte[] codes = new byte[elements];
        random.nextBytes(codes);
        if (style == Style.FLOAT_WEIGHTS) {
            float[] values = new float[elements];
            for (int i = 0; i < elements; i++) {
                values[i] = codes[i] / 500f;
            }
            graph.floats(name + ".float", values, dimensions);
            graph.bytes(name + ".z", DataType.INT8, new byte[zeros], sizes);
            node("QuantizeLinear", name, name + ".float", name + ".s", name + ".z")
                    .addAttribute(attribute("axis", 0));
        } else if (style == Style.QDQ_U8U8) {
            graph.bytes(name, DataType.UINT8, codes, dimensions);
            byte[] zero = {(byte) (100 + random.nextInt(56))};
            graph.bytes(name + ".z", DataType.UINT8, zero, sizes);
        } else {
            graph.bytes(name, DataType.INT8, codes, dimensions);
            graph.bytes(name + ".z", DataType.INT8, new byte[zeros], sizes);
        }
    }

    private String bias(String name, int outputs) {
        if (style == Style.FLOAT_WEIGHTS) {
            float[] bias = new float[outputs];
            for (int i = 0; i < outputs; i++) {
                bias[i] = random.nextFloat() - 0.5f;
            }
            return graph.floats(name + ".bias", bias, outputs);
        }
        return graph.ints(name + ".bias", random.ints(outputs, -900, 900).toArray(), outputs);
    }

    private void convolution(int outputs, int groups) {
        Tensor in = at;
        int kernel = 1 + random.nextInt(3);
        int stride = 1 + random.nextInt(2);
        boolean same = random.nextInt(3) == 0;
        int pad = random.nextInt(kernel);
        int height =
                same ? (in.height + stride - 1) / stride : slid(in.height, kernel, stride, pad);
        int width = same ? (in.width + stride - 1) / stride : slid(in.width, kernel, stride, pad);
        if (height < 1 || width < 1) {
            return;
        }
        Weights weights = weights(outputs, outputs, in.channels / groups, kernel, kernel);
        List<AttributeProto> attributes =
                new ArrayList<>(
                        List.of(attribute("strides", stride, stride), attribute("group", groups)));
        if (same) {
            attributes.add(
                    GraphProtoBuilder.attribute(
                            "auto_pad", random.nextBoolean() ? "SAME_UPPER" : "SAME_LOWER"));
        } else {
            attributes.add(attribute("pads", pad, pad, pad, pad));
        }
        attributes.add(attribute("kernel_shape", kernel, kernel));
        product("Conv", attributes, weights, new Tensor("", signed(), outputs, height, width));
    }

    private static int slid(int size, int kernel, int stride, int pad) {
        return size + 2 * pad < kernel ? 0 : (size + 2 * pad - kernel) / stride + 1;
    }

    private void product(
            String operator, List<AttributeProto> attributes, Weights weights, Tensor result) {
        if (style == Style.Q_OPERATOR) {
            codesOfProduct(operator, attributes, weights, result);
            return;
        }
        String bias = weights.bias;
        if (style != Style.FLOAT_WEIGHTS) {
            bias = bias + ".f";
            graph.floats(
                    weights.codes + ".bias.s",
                    products(at.name, weights.codes),
                    each() ? new long[] {result.channels} : new long[0]);
            node("DequantizeLinear", bias, weights.bias, weights.codes + ".bias.s")
                    .addAttribute(attribute("axis", 0));
        }
        String values = name("v");
        node(operator, values, dequantized(at.name), weights.values, bias)
                .addAllAttribute(attributes);
        quantize(values, result);
    }

    private boolean each() {
        return style != Style.QDQ_U8U8;
    }

    private float[] products(String input, String weights) {
        float scale = floats(input + ".s")[0];
        float[] scales = floats(weights + ".s").clone();
        for (int i = 0; i < scales.length; i++) {
            scales[i] *= scale;
        }
        return scales;
    }

    private float[] floats(String name) {
        java.nio.FloatBuffer values =
                graph.build().getInitializerList().stream()
                        .filter(tensor -> tensor.getName().equals(name))
                        .findFirst()
                        .orElseThrow()
                        .getRawData()
                        .asReadOnlyByteBuffer()
                        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer();
        float[] all = new float[values.remaining()];
        values.get(all);
        return all;
    }

    private void codesOfProduct(
            String operator, List<AttributeProto> attributes, Weights weights, Tensor result) {
        String codes = name("t");
        params(codes, false);
        List<String> inputs =
                new ArrayList<>(
                        List.of(
                                at.name,
                                at.name + ".s",
                                at.name + ".z",
                                weights.codes,
                                weights.codes + ".s",
                                weights.codes + ".z"));
        boolean conv = operator.equals("Conv");
        if (!conv) {
            inputs.add(weights.bias);
        }
        inputs.addAll(List.of(codes + ".s", codes + ".z"));
        if (conv) {
            inputs.add(weights.bias);
        }
        graph.node(conv ? "QLinearConv" : "QGemm", codes + "#", inputs, codes)
                .setDomain(conv ? "" : MICROSOFT)
                .addAllAttribute(attributes);
        at = new Tensor(codes, false, result.channels, result.height, result.width);
    }

    private void function() {
        switch (random.nextInt(5)) {
            case 0 ->
                    operator(
                            "LeakyRelu",
                            List.of(GraphProtoBuilder.attribute("alpha", 0.2f)),
                            at,
                            at.name);
            case 1 -> operator("Sigmoid", List.of(), at, at.name);
            default -> floatFunction();
        }
    }

    private void floatFunction() {
        String values = name("v");
        String input = dequantized(at.name);
        switch (random.nextInt(5)) {
            case 0 -> node("HardSigmoid", values, input);
            case 1 -> node("Relu", values, input);
            case 2 -> {
                String unit = name("v");
                node("HardSigmoid", unit, input);
                node("Mul", values, input, unit);
            }
            case 3 -> {
                String half = graph.floats(name("half"), new float[] {0.5f});
                node("Mul", values, input, half);
            }
            default -> node("Identity", values, input); // codes of another scale
        }
        quantize(values, at);
    }

    private void maxPool() {
        int kernel = 2 + random.nextInt(2);
        int ceil = random.nextInt(2);
        if (at.height < kernel || at.width < kernel) {
            return;
        }
        String values = name("v");
        node("MaxPool", values, dequantized(at.name))
                .addAttribute(attribute("kernel_shape", kernel, kernel))
                .addAttribute(attribute("strides", 2, 2))
                .addAttribute(attribute("ceil_mode", ceil));
        Tensor result =
                new Tensor(
                        "",
                        signed(),
                        at.channels,
                        pooled(at.height, kernel, ceil),
                        pooled(at.width, kernel, ceil));
        quantize(values, result);
    }

    private static int pooled(int size, int kernel, int ceil) {
        int left = (size - kernel) % 2;
        return (size - kernel) / 2 + 1 + (left > 0 && ceil == 1 ? 1 : 0);
    }

    private void averagePool() {
        if (at.height < 2 || at.width < 2) {
            return;
        }
        operator(
                "AveragePool",
                List.of(attribute("kernel_shape", 2, 2), attribute("strides", 1, 1)),
                new Tensor("", signed(), at.channels, at.height - 1, at.width - 1),
                at.name);
    }

    private void residual() {
        Tensor branch = at;
        Weights weights = weights(at.channels, at.channels, at.channels, 1, 1);
        product("Conv", List.of(attribute("kernel_shape", 1, 1)), weights, at);
        operator("Add", List.of(), at, at.name, branch.name);
    }

    private void move() {
        String values = name("v");
        String input = dequantized(at.name);
        if (random.nextBoolean()) {
            node("Transpose", values, input).addAttribute(attribute("perm", 0, 1, 3, 2));
            int height = at.width;
            int width = at.height;
            quantize(values, new Tensor("", signed(), at.channels, height, width));
            return;
        }
        String pads = graph.longs(name("pads"), new long[] {0, 0, 1, 0, 0, 0, 0, 1});
        node("Pad", values, input, pads);
        quantize(values, new Tensor("", signed(), at.channels, at.height + 1, at.width + 1));
    }

    private void head() {
        Tensor one = new Tensor("", signed(), at.channels, 1, 1);
        if (random.nextBoolean()) {
            operator("GlobalAveragePool", List.of(), one, at.name);
        } else {
            String values = name("v");
            NodeProto.Builder mean = node("ReduceMean", values, dequantized(at.name));
            if (opset < 18) {
                mean.addAttribute(attribute("axes", 2, 3));
            } else {
                mean.addInput(graph.longs(name("axes"), new long[] {2, 3}));
            }
            quantize(values, one);
        }
        String values = name("v");
        switch (random.nextInt(3)) {
            case 0 -> node("Flatten", values, dequantized(at.name));
            case 1 ->
                    node(
                            "Reshape",
                            values,
                            dequantized(at.name),
                            graph.longs(name("shape"), new long[] {1, -1}));
            default ->
                    node(
                            "Squeeze",
                            values,
                            dequantized(at.name),
                            graph.longs(name("axes"), new long[] {-1, 2}));
        }
        quantize(values, one);
        int outputs = 3 + random.nextInt(4);
        Weights weights = weights(outputs, outputs, at.channels);
        product(
                "Gemm",
                List.of(attribute("transB", 1)),
                weights,
                new Tensor("", signed(), outputs, 1, 1));
    }
}
