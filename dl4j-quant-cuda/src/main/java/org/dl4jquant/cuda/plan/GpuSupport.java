// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.graph.node.Weighted;

/**
 * The kinds of nodes that no kernel computes: a graph that has one is refused before anything is
 * planned or compiled.
 */
public final class GpuSupport {

    /** Stands for whatever kinds of nodes read, multiply or make codes of 16 bits. */
    private static final String WIDE = "codes of 16 bits";

    /** Stands for the kind of nodes that have a kernel where they read no mask. */
    private static final String MASKED = "AttentionWeights under a mask";

    /** The reason for each kind without a kernel, to follow "has no kernel: ". */
    private static final Map<String, String> REASONS =
            Map.ofEntries(
                    Map.entry(
                            MASKED,
                            "masks belong to sequences of several lengths, which an engine of one"
                                    + " shape has not"),
                    Map.entry(
                            "MoveByMask",
                            "masks belong to recurrent layers, which have none either"),
                    Map.entry(
                            WIDE,
                            "codes of 16 bits are products of pairs of bytes in int64, which"
                                    + " Tensor Cores do not add"),
                    Map.entry(
                            "DynamicDense",
                            "its scales are found at run time, and the kernels have theirs when"
                                    + " they are compiled"),
                    Map.entry(
                            "RecurrentMemory",
                            "it belongs to a recurrent layer, which has none either"),
                    Map.entry(
                            "Recurrent",
                            "each of its steps waits for the one before, so that a launch for each"
                                    + " step would be slower than a processor"));

    private GpuSupport() {}

    /**
     * {@return the kinds without a kernel, as {@link IntNode#kind} names them, "codes of 16 bits"
     * and "AttentionWeights under a mask"}
     */
    public static Set<String> refusedKinds() {
        return REASONS.keySet();
    }

    /**
     * Refuses a graph with nodes that have no kernel, naming all of them.
     *
     * @param graph the graph
     * @throws IllegalArgumentException if there are such nodes
     */
    static void require(IntGraph graph) {
        Require.argument(
                !graph.hasFreeSteps(),
                "the graph takes sequences of any number of steps, and what is compiled for a GPU"
                        + " has fixed sizes; compile graph.withSteps(n) for each number, or run it"
                        + " with the engine \"onnxruntime\"");
        requireNone(graph, REASONS);
    }

    /* Apart from the table, so that a test can refuse what there is. */
    static void requireNone(IntGraph graph, Map<String, String> reasons) {
        String refused =
                graph.nodes().stream()
                        .filter(node -> reasons.containsKey(kind(node, graph)))
                        .map(
                                node ->
                                        "\n  node '%s' (%s) has no kernel: %s"
                                                .formatted(
                                                        node.name(),
                                                        node.kind(),
                                                        reasons.get(kind(node, graph))))
                        .collect(Collectors.joining());
        Require.argument(
                refused.isEmpty(),
                "the graph cannot run on a GPU:%s%nrun it with the engine \"onnxruntime\", or"
                        + " replace these layers",
                refused);
    }

    private static String kind(IntNode node, IntGraph graph) {
        TensorType result = graph.type(node.name());
        boolean wide =
                (result.isCodes() && result.codes().range().isWide())
                        || (node instanceof Weighted layer
                                && layer.isWide(graph.type(layer.input()).codes()));
        if (wide) {
            return WIDE;
        }
        return node instanceof AttentionWeights && node.mask().isPresent() ? MASKED : node.kind();
    }

    /**
     * {@return the error of a visitor that meets a node which was to be refused before}
     *
     * @param node a node without a kernel
     */
    static IllegalStateException notRefused(IntNode node) {
        return new IllegalStateException(
                "node '" + node.name() + "' (" + node.kind() + ") was not refused");
    }
}
