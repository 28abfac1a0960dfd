// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * Most nodes become dequantize -> operator -> quantize, which ONNX Runtime fuses to one integer
 * kernel. What is narrower than uint8 (an activation's bounds, fewer bits) is an integer Clip after
 * the quantize node: in front of it, it would stop the fusion. Every use of a tensor has a
 * dequantize node of its own, because ONNX Runtime fuses only such.
 */
/** A graph on its way to ONNX, with the parts that forms have in common. */
final class FormWriter {

    private final IntGraph source;
    private final Map<String, String> metadata;
    private final GraphWriter target;
    private final Map<String, String> scales = new HashMap<>();
    private final Map<String, String> zeroPoints = new HashMap<>();
    private final Map<String, String> memories = new HashMap<>();

    FormWriter(IntGraph source, Map<String, String> metadata) {
        this.source = source;
        this.metadata = metadata;
        this.target = new GraphWriter(source.nodes().stream().map(IntNode::name).toList());
    }

    Message write(boolean values) {
        return write(values, Map.of(), source.outputs());
    }

    /**
     * {@return the ONNX graph}
     *
     * @param values whether it makes values of scores, too
     * @param islands steps in float, by their results, which are inputs of the integer graph
     * @param leaving the tensors that leave it
     */
    Message write(boolean values, Map<String, FloatIsland> islands, List<String> leaving) {
        for (IntNode node : source.nodes()) {
            FloatIsland island = islands.get(node.name());
            if (island == null) {
                Forms.write(node, this);
            } else {
                new IslandForm(island, target).write();
            }
        }
        Set<String> outputs = new HashSet<>(leaving);
        for (IntNode node : source.nodes()) {
            if (!outputs.contains(node.name()) && !(node instanceof Input)) {
                TensorType type = type(node.name());
                target.intermediate(node.name(), dataType(type), type);
            }
        }
        for (String output : leaving) {
            target.output(output, dataType(type(output)), type(output));
        }
        GraphMetadata.describe(source, metadata);
        if (values) {
            writeValues();
        }
        return target.build();
    }

    private void writeValues() {
        source.functions()
                .forEach(
                        (output, functions) -> {
                            String values = target.name(output + "/value");
                            new FunctionWriter(target, output)
                                    .tail(functions, type(output).shape(), values);
                            target.output(values, DataType.FLOAT, type(output));
                            metadata.put(Provenance.TAIL + output, values);
                        });
    }

    private static DataType dataType(TensorType type) {
        boolean bytes = type.isCodes() && !type.codes().range().isWide();
        return bytes ? DataType.UINT8 : DataType.FLOAT;
    }

    /** {@return the ONNX graph, for operators that are a form's own} */
    GraphWriter target() {
        return target;
    }

    /** Notes what ONNX has no other word for. */
    void note(String key, String text) {
        metadata.put(key, text);
    }

    /** {@return the type of an earlier node's result, or of the node that is written} */
    TensorType type(String name) {
        return source.type(name);
    }

    /**
     * Writes an operator over dequantized codes.
     *
     * @param node the node, all of whose inputs are dequantized
     * @param operator the operator
     * @param constants names of initializers that are inputs, too
     * @param attributes the operator's attributes
     * @return the name of its result, which is to be quantized
     */
    String operator(
            IntNode node, String operator, List<String> constants, List<Message> attributes) {
        List<String> inputs = new ArrayList<>();
        node.inputs().forEach(input -> inputs.add(dequantized(node, input)));
        inputs.addAll(constants);
        String result = floats(node);
        target.node(operator, node.name(), inputs, result).set(NodeProto.ATTRIBUTE, attributes);
        return result;
    }

    /** {@return a new name of the floats that a node's operator makes before they are quantized} */
    String floats(IntNode node) {
        return target.name(node.name() + "/float");
    }

    /**
     * Writes the quantize node that ends a node.
     *
     * @param node the node
     * @param values the floats that are quantized
     * @param params how its codes stand for values
     * @param bounds the codes that it is clamped to
     */
    void quantize(IntNode node, String values, QuantParams params, CodeRange bounds) {
        String name = node.name();
        define(name, params);
        boolean clamped = narrower(node, bounds);
        String codes = clamped ? target.name(name + "/unclamped") : name;
        target.auxiliary(
                Operators.QUANTIZE,
                name + "/quantize",
                List.of(values, scale(name), zeroPoint(name)),
                codes);
        if (clamped) {
            String least = code(name + "/min", bounds.min(), params);
            String most = code(name + "/max", bounds.max(), params);
            target.auxiliary(Operators.CLIP, name + "/clip", List.of(codes, least, most), name);
        }
    }

    /** Whether the codes can leave the bounds; those that are only moved cannot. */
    private static boolean narrower(IntNode node, CodeRange bounds) {
        return !(node instanceof KeepsCodes)
                && bounds.max() - bounds.min() < Containers.UINT8.max();
    }

    /** Writes how the codes of a node stand for values, where no operator says it. */
    void annotate(IntNode node, QuantParams params) {
        define(node.name(), params);
        target.annotate(node.name(), scale(node.name()), zeroPoint(node.name()));
    }

    private void define(String name, QuantParams params) {
        scales.put(name, target.floats(name + "/scale", new float[] {params.scale()}));
        zeroPoints.put(name, code(name + "/zero_point", params.zeroPoint(), params));
    }

    private String code(String preferred, int code, QuantParams params) {
        if (params.range().isWide()) {
            return target.floats(preferred, new float[] {code});
        }
        byte[] inFile = {Containers.toFile(code, params.range())};
        return target.bytes(preferred, DataType.UINT8, inFile);
    }

    /** {@return the name of a node's input, dequantized for it alone} */
    String dequantized(IntNode node, String input) {
        return dequantized(node, input, input);
    }

    /**
     * {@return the name of a node's input, dequantized for it alone}
     *
     * @param node the node
     * @param input the codes that it reads
     * @param tensor the tensor that holds them: the codes themselves, or copies of them
     */
    String dequantized(IntNode node, String input, String tensor) {
        String result = target.name(node.name() + "/" + input + "_float");
        String name = node.name() + "/dequantize_" + input;
        List<String> inputs = List.of(tensor, scale(input), zeroPoint(input));
        target.auxiliary(Operators.DEQUANTIZE, name, inputs, result);
        return result;
    }

    /** {@return the inputs of a DequantizeLinear of codes} */
    List<String> asRead(String codes) {
        return List.of(codes, scale(codes), zeroPoint(codes));
    }

    /** Notes the tensor of the memory, in codes, after a recurrent layer's last step. */
    void setMemory(String layer, String tensor) {
        memories.put(layer, tensor);
    }

    /** {@return this tensor} */
    String memory(String layer) {
        return Objects.requireNonNull(memories.get(layer), layer);
    }

    /** {@return the initializer that is the scale of codes} */
    String scale(String codes) {
        return Objects.requireNonNull(scales.get(codes), codes);
    }

    /** {@return the initializer that is the zero point of codes} */
    String zeroPoint(String codes) {
        return Objects.requireNonNull(zeroPoints.get(codes), codes);
    }
}
