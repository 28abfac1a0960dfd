// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.NodeProto;
import org.dl4jquant.onnx.wire.ValueInfoProto;

/** The operators of an ONNX graph, and which of them makes and reads which tensor. */
final class OnnxGraph {

    private final List<OnnxNode> nodes;
    private final Constants constants;
    private final Annotations annotations;
    private final List<Message> inputs;
    private final List<String> outputs;
    private final boolean constantsAreInputs;
    private final Set<String> leaving;
    private final Set<String> names = new HashSet<>();
    private final Map<String, OnnxNode> makers = new HashMap<>();
    private final Map<String, List<OnnxNode>> consumers = new HashMap<>();

    /** Whether float tensors are quantized after clamps at most. */
    private final Map<String, Boolean> quantized = new HashMap<>();

    OnnxGraph(Message graph) {
        this.constants = new Constants(graph.get(GraphProto.INITIALIZER));
        this.annotations = new Annotations(graph.get(GraphProto.QUANTIZATION_ANNOTATION));
        this.nodes = graph.get(GraphProto.NODE).stream().map(OnnxNode::new).toList();
        this.outputs =
                graph.get(GraphProto.OUTPUT).stream()
                        .map(output -> output.get(ValueInfoProto.NAME))
                        .toList();
        this.leaving = new HashSet<>(outputs);
        List<Message> all = graph.get(GraphProto.INPUT);
        all.forEach(input -> names.add(input.get(ValueInfoProto.NAME)));
        this.inputs = all.stream().filter(input -> !isConstant(input)).toList();
        this.constantsAreInputs = inputs.size() < all.size();
        for (OnnxNode node : nodes) {
            node.outputs().forEach(output -> makers.put(output, node));
            node.inputs()
                    .forEach(
                            input ->
                                    consumers
                                            .computeIfAbsent(input, name -> new ArrayList<>())
                                            .add(node));
        }
        requireOrder(all);
    }

    private boolean isConstant(Message input) {
        return constants.has(input.get(ValueInfoProto.NAME));
    }

    /**
     * {@return a graph without the operators of float tails, which say again what the metadata say
     * exactly}
     *
     * @param graph the ONNX graph
     * @param tails the outputs that they make
     */
    static Message withoutTails(Message graph, Set<String> tails) {
        List<Message> nodes =
                graph.get(GraphProto.NODE).stream()
                        .filter(node -> !node.get(NodeProto.DOC_STRING).equals(FunctionWriter.TAIL))
                        .toList();
        List<Message> outputs =
                graph.get(GraphProto.OUTPUT).stream()
                        .filter(output -> !tails.contains(output.get(ValueInfoProto.NAME)))
                        .toList();
        return graph.toBuilder()
                .set(GraphProto.NODE, nodes)
                .set(GraphProto.OUTPUT, outputs)
                .build();
    }

    /* Without it, a walk from an operator to its readers or back might not end. */
    private void requireOrder(List<Message> all) {
        Set<String> known = new HashSet<>();
        all.forEach(input -> known.add(input.get(ValueInfoProto.NAME)));
        for (OnnxNode node : nodes) {
            for (String input : node.inputs()) {
                node.require(
                        input.isEmpty() || known.contains(input) || constants.has(input),
                        "reads '%s', which no input, constant or earlier operator is; operators must"
                                + " stand after those that they read",
                        input);
            }
            for (String output : node.outputs()) {
                node.require(
                        output.isEmpty() || (!constants.has(output) && known.add(output)),
                        "makes '%s', which something else is already; names must be unique",
                        output);
            }
        }
    }

    List<OnnxNode> nodes() {
        return nodes;
    }

    Constants constants() {
        return constants;
    }

    Annotations annotations() {
        return annotations;
    }

    /** {@return the inputs that are no initializers} */
    List<Message> inputs() {
        return inputs;
    }

    List<String> outputs() {
        return outputs;
    }

    /** {@return whether a caller can replace initializers} */
    boolean constantsAreInputs() {
        return constantsAreInputs;
    }

    /** {@return whether anything in the file has a name} */
    boolean has(String name) {
        return makers.containsKey(name) || constants.has(name) || names.contains(name);
    }

    boolean leaves(String tensor) {
        return leaving.contains(tensor);
    }

    List<OnnxNode> consumers(String tensor) {
        return consumers.getOrDefault(tensor, List.of());
    }

    /** {@return the operator that is alone in reading a tensor, which does not leave the graph} */
    Optional<OnnxNode> onlyConsumer(String tensor) {
        List<OnnxNode> readers = consumers(tensor);
        return readers.size() == 1 && !leaves(tensor)
                ? Optional.of(readers.get(0))
                : Optional.empty();
    }

    /** {@return the operator that makes a tensor, if one of a kind does} */
    Optional<OnnxNode> maker(String tensor, String operator) {
        return maker(tensor).filter(node -> node.operator().equals(operator));
    }

    Optional<OnnxNode> maker(String tensor) {
        return Optional.ofNullable(makers.get(tensor));
    }

    /** {@return whether a quantize node follows, perhaps after clamps} */
    boolean isQuantized(String values) {
        List<String> chain = new ArrayList<>(List.of(values));
        String last = values;
        Optional<OnnxNode> next = onlyConsumer(last);
        while (next.isPresent() && next.get().isClamp() && !quantized.containsKey(last)) {
            last = next.get().output();
            chain.add(last);
            next = onlyConsumer(last);
        }
        boolean found =
                quantized.getOrDefault(
                        last,
                        next.filter(node -> node.operator().equals(Operators.QUANTIZE))
                                .isPresent());
        chain.forEach(value -> quantized.put(value, found)); // long chains are walked once
        return found;
    }

    /** {@return the Clip that is alone in reading a quantize node's codes} */
    Optional<OnnxNode> integerClip(OnnxNode quantize) {
        return onlyConsumer(quantize.output())
                .filter(next -> next.operator().equals(Operators.CLIP));
    }
}
