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
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.foreign.Rewritten;
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

    /** Results that are rows of one example, where the file has none but rows. */
    private final Set<String> rows = new HashSet<>();

    /** The tensors of the file that nodes of the integer graph stand for under other names. */
    private final Map<String, String> standsFor = new HashMap<>();

    /** Products whose scales are found at run time, by their last operators. */
    private final IdentityHashMap<OnnxNode, DynamicDenseReader> dynamicProducts =
            new IdentityHashMap<>();

    /** The QuantizeLinear operators that are parts of them. */
    private final Set<OnnxNode> quantizers = Collections.newSetFromMap(new IdentityHashMap<>());

    private final IdentityHashMap<OnnxNode, CodeFunction> codeFunctions = new IdentityHashMap<>();
    private final Rewritten foreign;

    FormReader(OnnxGraph graph, GraphMetadata metadata, Rewritten foreign) {
        this.foreign = foreign;
        this.graph = graph;
        this.metadata = metadata;
        this.scales = new CodeScales(graph, metadata);
        this.fusions = new RuntimeFusions(this);
    }

    FormReading read() {
        graph.inputs().forEach(this::await);
        if (foreign.isForeign()) {
            graph.nodes().forEach(this::findFunction);
        }
        Set<String> understood = Forms.operators();
        String listed = String.join(", ", understood);
        graph.nodes().stream()
                .filter(node -> !taken.contains(node))
                .forEach(node -> requireUnderstood(node, understood, listed));
        Forms.all().forEach(form -> form.claim(this));
        addWaiting();
        for (OnnxNode node : graph.nodes()) {
            if (quantizers.contains(node)) {
                continue;
            }
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
        Input input = InputForm.read(proto, metadata);
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
        if (!node.operator().equals(Operators.SCAN)
                && !node.operator().equals(Operators.DYNAMIC_QUANTIZE)) {
            node.requireOneOutput();
        }
    }

    private void findFunction(OnnxNode node) {
        if (node.operator().equals(Operators.QUANTIZE)) {
            CodeFunction.of(node, graph)
                    .ifPresent(
                            function -> {
                                codeFunctions.put(node, function);
                                taken.addAll(function.operators());
                            });
        }
    }

    private void quantized(OnnxNode quantize) {
        CodeFunction function = codeFunctions.get(quantize);
        QuantizedResult codes =
                function == null
                        ? QuantizedResult.of(quantize, this)
                        : QuantizedResult.ofFunction(quantize, this);
        taken.add(quantize);
        codes.clip().ifPresent(taken::add);
        if (function != null) {
            Table table = TableForm.of(function, codes, this);
            add(table);
            fusions.checkFunction(table, quantize, function);
            return;
        }
        for (NodeForm<?> form : Forms.all()) {
            Optional<? extends IntNode> node = form.quantized(codes, this);
            if (node.isPresent()) {
                taken.addAll(codes.clamps());
                codes.operator().ifPresent(taken::add);
                addResult(node.get(), codes);
                return;
            }
        }
        throw codes.refusal();
    }

    private void addResult(IntNode node, QuantizedResult codes) {
        if (node.name().equals(codes.name())) {
            add(node);
        } else {
            addFor(node, codes.name());
            Table table = TableForm.requantized(node.name(), codes, this);
            add(table);
            if (node instanceof KeepsCodes) {
                fusions.checkRescaled(table, codes.quantize());
            }
        }
        codes.operator().ifPresent(operator -> fusions.check(node, operator, codes));
    }

    private void result(OnnxNode last) {
        Optional<IntNode> wide = WideForm.read(last, this);
        if (wide.isPresent()) {
            take(last);
            add(wide.get());
            return;
        }
        Optional<String> copied = ChannelCopies.copied(last, this);
        if (copied.isPresent()) {
            copies.put(last.output(), copied.get());
            take(last);
            return;
        }
        if (ElementwiseForm.combines(last, this) || NormalizeForm.ends(last, this)) {
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
        boolean part = PARTS.contains(node.operator()) && !ElementwiseForm.combines(node, this);
        if (taken.contains(node) || part) {
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
        foreign.tails()
                .forEach(
                        (output, tail) -> {
                            int rank = made.contains(output) ? shape(output).rank() : 0;
                            functions.put(output, List.of(tail.function(rank)));
                            fusions.checkTail(output, tail);
                        });
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

    /** Says that a QuantizeLinear makes codes that no node of its own holds. */
    void claimQuantizer(OnnxNode quantize) {
        quantizers.add(quantize);
    }

    /** {@return the products whose scales are found at run time, by their last operators} */
    IdentityHashMap<OnnxNode, DynamicDenseReader> dynamicProducts() {
        return dynamicProducts;
    }

    boolean isTaken(OnnxNode operator) {
        return taken.contains(operator);
    }

    /** Adds a node to the integer graph, and the inputs that stand after it. */
    void add(IntNode node) {
        Rows.follow(node, standsFor.containsKey(node.name()), this);
        builder.add(node);
        made.add(node.name());
        addWaiting();
    }

    /**
     * Adds a node that the file does not have as such.
     *
     * @param node the node
     * @param tensor the tensor of the file whose codes, moved, are its own
     */
    void addFor(IntNode node, String tensor) {
        standsFor.put(node.name(), tensor);
        add(node);
    }

    /** {@return the tensor of the file that a node stands for} */
    String inFile(String node) {
        String tensor = node;
        while (standsFor.containsKey(tensor)) {
            tensor = standsFor.get(tensor);
        }
        return tensor;
    }

    /** {@return a name that neither a node nor a tensor of the file has} */
    String freeName(String preferred) {
        String name = preferred;
        for (int copy = 2; made.contains(name) || graph.has(name); copy++) {
            name = preferred + "_" + copy;
        }
        return name;
    }

    /** {@return the results that are rows of one example, where the file has none but rows} */
    Set<String> rows() {
        return rows;
    }

    /** {@return whether all inputs of the file have a batch of one example} */
    boolean isSingle() {
        return graph.inputs().stream().allMatch(InputForm::isSingle);
    }

    Rewritten foreign() {
        return foreign;
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

    /**
     * {@return the tensor that an operator reads dequantized: codes, or copies of their channels}
     */
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
