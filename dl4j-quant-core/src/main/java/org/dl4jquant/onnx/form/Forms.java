// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.onnx.foreign.ForeignGraphs;
import org.dl4jquant.onnx.foreign.Rewritten;
import org.dl4jquant.onnx.wire.Message;

/** The ONNX forms of all nodes, and with them graphs from and to ONNX. */
public final class Forms {

    private static final List<NodeForm<?>> ALL =
            List.of(
                    new InputForm(),
                    new RecurrentMemoryForm(),
                    new QuantizeForm(),
                    new DequantizeForm(),
                    new ConvolutionForm(),
                    new DynamicDenseForm(),
                    new MatMulForm(),
                    new NormalizeForm(),
                    new AttentionWeightsForm(),
                    new DenseForm(),
                    new MaxPoolForm(),
                    new AveragePoolForm(),
                    new GlobalAveragePoolForm(),
                    new AddForm(),
                    new ElementwiseForm(),
                    new ConcatForm(),
                    new MoveForm(),
                    new ReshapeForm(),
                    new LookupForm(),
                    new ChannelTableForm(),
                    new TableForm(),
                    new MoveByMaskForm(),
                    new RectifyForm(),
                    new RecurrentForm());

    private static final Map<Class<?>, NodeForm<?>> BY_NODE =
            ALL.stream().collect(Collectors.toMap(NodeForm::node, Function.identity()));

    private Forms() {}

    /**
     * {@return the ONNX graph of an integer graph}
     *
     * @param graph the integer graph
     * @param values whether the values of last functions are outputs, too, in float32
     * @param metadata receives the metadata that belong to the graph
     */
    public static Message write(IntGraph graph, boolean values, Map<String, String> metadata) {
        Require.given(graph, "graph");
        Require.given(metadata, "metadata");
        return new FormWriter(graph, metadata).write(values);
    }

    /**
     * {@return the integer graph of an ONNX graph, with the nodes that ONNX Runtime may round
     * otherwise}
     *
     * @param graph the ONNX graph
     * @param metadata the model's metadata
     * @param opset the version of ONNX's operators if another tool wrote the model; 0 if this
     *     library did
     * @throws IllegalArgumentException if it holds what an integer graph cannot say; the message
     *     names the operator
     */
    public static FormReading read(Message graph, Map<String, String> metadata, long opset) {
        Require.given(graph, "graph");
        Require.given(metadata, "metadata");
        Set<String> tails = GraphMetadata.tails(metadata);
        Message rest = tails.isEmpty() ? graph : OnnxGraph.withoutTails(graph, tails);
        Rewritten foreign = opset == 0 ? Rewritten.NONE : ForeignGraphs.rewrite(rest, opset);
        OnnxGraph read = new OnnxGraph(opset == 0 ? rest : foreign.graph());
        return new FormReader(read, new GraphMetadata(metadata), foreign).read();
    }

    /**
     * Writes the integer parts of a network with the steps in float between them.
     *
     * @param graph the integer parts; results of islands are inputs
     * @param islands the steps in float
     * @param leaving the tensors that leave the network
     * @param metadata takes the metadata
     * @return the ONNX graph
     */
    public static Message writeHybrid(
            IntGraph graph,
            List<FloatIsland> islands,
            List<String> leaving,
            Map<String, String> metadata) {
        Require.given(graph, "graph");
        Require.given(leaving, "leaving");
        Require.given(metadata, "metadata");
        Map<String, FloatIsland> byResult = new HashMap<>();
        for (FloatIsland island : Require.given(islands, "islands")) {
            byResult.put(island.output(), island);
            metadata.put(Provenance.ISLAND + island.name(), island.reason());
        }
        return new FormWriter(graph, metadata).write(true, byResult, leaving);
    }

    /** {@return the operators that are understood} */
    public static Set<String> operators() {
        Set<String> operators = new LinkedHashSet<>();
        ALL.forEach(form -> operators.addAll(form.operators()));
        return operators;
    }

    static List<NodeForm<?>> all() {
        return ALL;
    }

    /** Writes a node by its form. */
    static void write(IntNode node, FormWriter target) {
        NodeForm<?> form = BY_NODE.get(node.getClass());
        if (form == null) {
            throw new IllegalStateException("node '" + node.name() + "' has no ONNX form");
        }
        write(form, node, target);
    }

    private static <N extends IntNode> void write(
            NodeForm<N> form, IntNode node, FormWriter target) {
        form.write(form.node().cast(node), target);
    }
}
