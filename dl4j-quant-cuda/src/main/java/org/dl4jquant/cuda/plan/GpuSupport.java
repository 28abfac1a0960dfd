// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.IntNode;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The kinds of nodes that no kernel computes: a graph that has one is refused before anything is
 * planned or compiled.
 */
public final class GpuSupport {

    /** The reason for each kind without a kernel, to follow "has no kernel: ". */
    private static final Map<String, String> REASONS =
            Map.ofEntries(
                    Map.entry(
                            "MoveByMask",
                            "masks belong to recurrent layers, which have none either"),
                    Map.entry(
                            "Recurrent",
                            "each of its steps waits for the one before, so that a launch for each"
                                    + " step would be slower than a processor"));

    private GpuSupport() {}

    /** {@return the kinds without a kernel, as {@link IntNode#kind} names them} */
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
        requireNone(graph, REASONS);
    }

    /* Apart from the table, so that a test can refuse what there is. */
    static void requireNone(IntGraph graph, Map<String, String> reasons) {
        String refused =
                graph.nodes().stream()
                        .filter(node -> reasons.containsKey(node.kind()))
                        .map(
                                node ->
                                        "\n  node '%s' (%s) has no kernel: %s"
                                                .formatted(
                                                        node.name(),
                                                        node.kind(),
                                                        reasons.get(node.kind())))
                        .collect(Collectors.joining());
        Require.argument(
                refused.isEmpty(),
                "the graph cannot run on a GPU:%s%nrun it with the engine \"onnxruntime\", or"
                        + " replace these layers",
                refused);
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
