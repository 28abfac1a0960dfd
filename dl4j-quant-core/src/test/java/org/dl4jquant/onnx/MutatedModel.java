// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto;
import org.nd4j.shade.protobuf.ByteString;

/** One random change of a model file: of its bytes, or of one thing that its protobuf says. */
final class MutatedModel {

    private static final long[] NUMBERS = {
        -1,
        0,
        1,
        2,
        3,
        4,
        7,
        128,
        255,
        1 << 16,
        1 << 20,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        1L << 32,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };

    private static final List<String> OPERATORS =
            List.of(
                    "QuantizeLinear",
                    "DequantizeLinear",
                    "Conv",
                    "Gemm",
                    "MatMul",
                    "MaxPool",
                    "AveragePool",
                    "GlobalAveragePool",
                    "Add",
                    "Concat",
                    "Reshape",
                    "Flatten",
                    "Relu",
                    "Clip",
                    "Cast",
                    "Gather",
                    "ConvInteger",
                    "Mul");

    private final Random random;

    private MutatedModel(long seed) {
        random = new Random(seed * 0x9E3779B97F4A7C15L);
    }

    static byte[] of(byte[] model, long seed) {
        return new MutatedModel(seed).mutated(model);
    }

    private byte[] mutated(byte[] model) {
        return random.nextInt(3) == 0 ? bytes(model) : parts(model);
    }

    private byte[] bytes(byte[] model) {
        int at = random.nextInt(model.length);
        byte[] changed = model.clone();
        switch (random.nextInt(5)) {
            case 0 -> changed[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> changed[at] = (byte) random.nextInt(256);
            case 2 -> changed = Arrays.copyOf(model, at);
            case 3 -> {
                int length = random.nextInt(Math.min(20, model.length - at));
                changed = new byte[model.length - length];
                System.arraycopy(model, 0, changed, 0, at);
                System.arraycopy(model, at + length, changed, at, changed.length - at);
            }
            default -> {
                int from = random.nextInt(model.length);
                int length = random.nextInt(1 + Math.min(50, model.length - Math.max(at, from)));
                System.arraycopy(model, from, changed, at, length);
            }
        }
        return changed;
    }

    private byte[] parts(byte[] bytes) {
        try {
            ModelProto.Builder model = ModelProto.parseFrom(bytes).toBuilder();
            GraphProto.Builder graph = model.getGraphBuilder();
            switch (random.nextInt(8)) {
                case 0, 1 -> attribute(any(graph.getNodeBuilderList()));
                case 2, 3 -> node(graph, random.nextInt(graph.getNodeCount()));
                case 4, 5 -> tensor(any(graph.getInitializerBuilderList()));
                case 6 -> shape(graph);
                default -> order(graph);
            }
            return model.build().toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException("the model to change is damaged", e);
        }
    }

    private <T> T any(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    private long number() {
        return NUMBERS[random.nextInt(NUMBERS.length)];
    }

    private void attribute(NodeProto.Builder node) {
        if (node.getAttributeCount() == 0) {
            String name = any(List.of("axis", "group", "pads", "auto_pad", "transA", "alpha"));
            node.addAttribute(GraphProtoBuilder.attribute(name, number()));
            return;
        }
        int at = random.nextInt(node.getAttributeCount());
        AttributeProto.Builder attribute = node.getAttributeBuilder(at);
        switch (random.nextInt(4)) {
            case 0 -> node.removeAttribute(at);
            case 1 -> attribute.setName(any(List.of("axis", "pads", "dilations", "to", "other")));
            default -> {
                if (attribute.getIntsCount() > 0) {
                    attribute.setInts(random.nextInt(attribute.getIntsCount()), number());
                } else {
                    attribute.setI(number());
                }
            }
        }
    }

    private void node(GraphProto.Builder graph, int at) {
        NodeProto.Builder node = graph.getNodeBuilder(at);
        NodeProto other = graph.getNode(random.nextInt(graph.getNodeCount()));
        TensorProto constant = graph.getInitializer(random.nextInt(graph.getInitializerCount()));
        switch (random.nextInt(7)) {
            case 0 -> node.setOpType(any(OPERATORS));
            case 1 -> {
                if (node.getInputCount() > 0) {
                    node.setInput(random.nextInt(node.getInputCount()), constant.getName());
                }
            }
            case 2 -> {
                if (node.getInputCount() > 0 && other.getOutputCount() > 0) {
                    node.setInput(random.nextInt(node.getInputCount()), other.getOutput(0));
                }
            }
            case 3 -> node.addInput(random.nextBoolean() ? "" : constant.getName());
            case 4 -> node.clearInput();
            case 5 -> node.setOutput(0, other.getOutputCount() > 0 ? other.getOutput(0) : "");
            default -> graph.removeNode(at);
        }
    }

    private void tensor(TensorProto.Builder tensor) {
        byte[] raw = tensor.getRawData().toByteArray();
        switch (random.nextInt(6)) {
            case 0 -> {
                if (tensor.getDimsCount() > 0) {
                    tensor.setDims(random.nextInt(tensor.getDimsCount()), number());
                }
            }
            case 1 -> tensor.addDims(random.nextBoolean() ? 1 : number());
            case 2 -> tensor.clearDims();
            case 3 -> tensor.setDataType(random.nextInt(17));
            default -> {
                if (raw.length > 0) {
                    raw[random.nextInt(raw.length)] = (byte) random.nextInt(256);
                    tensor.setRawData(ByteString.copyFrom(raw));
                }
            }
        }
    }

    private void shape(GraphProto.Builder graph) {
        TensorShapeProto.Builder shape =
                graph.getInputBuilder(random.nextInt(graph.getInputCount()))
                        .getTypeBuilder()
                        .getTensorTypeBuilder()
                        .getShapeBuilder();
        if (shape.getDimCount() > 0) {
            shape.getDimBuilder(random.nextInt(shape.getDimCount())).setDimValue(number());
        }
        if (random.nextInt(4) == 0) {
            shape.addDimBuilder().setDimValue(number());
        }
    }

    private void order(GraphProto.Builder graph) {
        int from = random.nextInt(graph.getNodeCount());
        int to = random.nextInt(graph.getNodeCount());
        NodeProto moved = graph.getNode(from);
        switch (random.nextInt(3)) {
            case 0 -> graph.removeNode(from).addNode(to, moved);
            case 1 -> graph.addNode(to, moved);
            default -> {
                if (moved.getOutputCount() > 0) {
                    graph.addOutputBuilder().setName(moved.getOutput(0));
                }
            }
        }
    }
}
