// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.Message;

/*
 * The operators are walked in the file's order, in which the nodes of the integer graph come, too. An
 * operator that ends a node has the whole node before it; any other is met again from its end.
 */
/** The integer graph that grows from an ONNX graph, one form at a time. */
final class FormReader {

    /** Operators that mean nothing unless a form takes them, and may be left over. */
    private static final Set<String> PARTS =
            Set.of(
                    Operators.DEQUANTIZE,
                    Operators.CAST,
                    Operators.CONV_INTEGER,
                    Operators.LESS,
                    Operators.MAX,
                    Operators.MUL,
                    Operators.SUB);

    private final OnnxGraph graph;
    private final GraphMetadata metadata;
    private final CodeScales scales;
    private final RuntimeFusions fusions;
    private final IntGraph.Builder builder = IntGraph.builder();
    private final Set<String> made = new HashSet<>();
    private final Map<String, String> copies = new HashMap<>();
    private final TreeMap<Integer, Input> waiting = new TreeMap<>();
    private long indices;
    private final Set<OnnxNode> taken = Collections.newSetFromMap(new IdentityHashMap<>());

    FormReader(OnnxGraph graph, GraphMetadata metadata) {
        this.graph = graph;
        this.metadata = metadata;
        this.scales = new CodeScales(graph, metadata);
        this.fusions = new RuntimeFusions(this);
    }

    FormReading read() {
        graph.inputs().forEach(this::await);
        Set<String> understood = Forms.operators();
        String listed = String.join(", ", understood);
        graph.nodes().forEach(node -> requireUnderstood(node, understood, listed));
        addWaiting();
        for (OnnxNode node : graph.nodes()) {
            if (node.operator().equals(Operators.QUANTIZE)) {
                quantized(node);
            } else if (!taken.contains(node)) {
                result(node);
            }
        }
        graph.nodes().forEach(this::requireTaken);
        return build();
    }

    private void await(Message proto) {
        Input input = InputForm.read(proto);
        int place = metadata.place(input.name(), waiting.size());
        Require.argument(
                waiting.putIfAbsent(place, input) == null,
                "metadata '%s%s' says that input '%s' is node %d, which another input is",
                Provenance.INPUT_PLACE,
                input.name(),
                input.name(),
                place);
    }

    private static void requireUnderstood(OnnxNode node, Set<String> understood, String listed) {
        node.require(
                node.domain().isEmpty() || node.domain().equals("ai.onnx"),
                "is of the domain '%s'; only ONNX's own operators are understood",
                node.domain());
        node.require(
                understood.contains(node.operator()),
                "is not part of an integer graph; understood are %s",
                listed);
        node.requireOneOutput();
    }

    private void quantized(OnnxNode quantize) {
        QuantizedResult codes = QuantizedResult.of(quantize, this);
        taken.add(quantize);
        codes.clip().ifPresent(taken::add);
        for (NodeForm<?> form : Forms.all()) {
            Optional<? extends IntNode> node = form.quantized(codes, this);
            if (node.isPresent()) {
                taken.addAll(codes.clamps());
                codes.operator().ifPresent(taken::add);
                add(node.get());
                codes.operator().ifPresent(operator -> fusions.check(node.get(), operator, codes));
                return;
            }
        }
        throw codes.refusal();
    }

    private void result(OnnxNode last) {
        Optional<String> copied = ChannelCopies.copied(last, this);
        if (copied.isPresent()) {
            copies.put(last.output(), copied.get());
            take(last);
            return;
        }
        for (NodeForm<?> form : Forms.all()) {
            Optional<? extends IntNode> node = form.result(last, this);
            if (node.isPresent()) {
                take(last);
                add(node.get());
                return;
            }
        }
    }

    private void requireTaken(OnnxNode node) {
        if (taken.contains(node) || PARTS.contains(node.operator())) {
            return;
        }
        if (node.isClamp()) {
            throw QuantizedResult.misplaced(node);
        }
        throw node.refusal("has float32 results; a QuantizeLinear must follow it");
    }

    private FormReading build() {
        Require.argument(
                waiting.isEmpty(), "the inputs %s have no place among the nodes", waiting.values());
        Map<String, List<OutputFunction>> functions = metadata.functions(graph.outputs());
        metadata.requireAllUsed();
        return new FormReading(builder.build(graph.outputs(), functions), fusions.deviations());
    }

    OnnxGraph graph() {
        return graph;
    }

    Constants constants() {
        return graph.constants();
    }

    GraphMetadata metadata() {
        return metadata;
    }

    CodeScales scales() {
        return scales;
    }

    RuntimeFusions fusions() {
        return fusions;
    }

    /** Marks an operator as part of a node that is read. */
    void take(OnnxNode operator) {
        taken.add(operator);
    }

    /** {@return how many indices of moves were read, with some more} */
    long countIndices(long more) {
        indices += more;
        return indices;
    }

    boolean isTaken(OnnxNode operator) {
        return taken.contains(operator);
    }

    /** Adds a node to the integer graph, and the inputs that stand after it. */
    void add(IntNode node) {
        builder.add(node);
        made.add(node.name());
        addWaiting();
    }

    private void addWaiting() {
        while (waiting.containsKey(made.size())) {
            Input input = waiting.remove(made.size());
            builder.add(input);
            made.add(input.name());
        }
    }

    boolean isCodes(String tensor) {
        return made.contains(tensor) && builder.type(tensor).isCodes();
    }

    boolean isFloats(String tensor) {
        return made.contains(tensor) && !builder.type(tensor).isCodes();
    }

    QuantParams params(String codes) {
        return builder.type(codes).codes();
    }

    Shape shape(String tensor) {
        return builder.type(tensor).shape();
    }

    /** {@return the codes that a tensor of floats is dequantized from} */
    Optional<String> dequantized(String floats) {
        return graph.maker(floats, Operators.DEQUANTIZE)
                .map(node -> original(node.input(0)))
                .filter(this::isCodes);
    }

    /** {@return the tensor that an operator reads dequantized: codes, or copies of their channels} */
    String dequantizedTensor(OnnxNode node) {
        return graph.maker(node.input(0), Operators.DEQUANTIZE).orElseThrow().input(0);
    }

    boolean isCopied(String tensor) {
        return copies.containsKey(tensor);
    }

    /** {@return the codes whose channels a tensor repeats for a convolution; else the tensor} */
    String original(String tensor) {
        return copies.getOrDefault(tensor, tensor);
    }

    /** {@return the codes that an operator reads dequantized} */
    String codes(OnnxNode node, int index) {
        return dequantized(node.input(index))
                .orElseThrow(
                        () ->
                                node.refusal(
                                        "reads '%s', which is not dequantized codes; a"
                                                + " DequantizeLinear must stand before it",
                                        node.input(index)));
    }

    /** {@return the codes that an operator reads dequantized, from all its inputs} */
    List<String> allCodes(OnnxNode node) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < node.inputs().size(); i++) {
            all.add(codes(node, i));
        }
        return all;
    }
}
