// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;

/**
 * The kinds of nodes that random graphs got after their first version: one entry per kind.
 *
 * <p>The golden digest is that of the first version's graphs, so it does not change with an entry.
 */
final class LaterNodes {

    /** The entries; a new kind is added at the end. */
    private static final List<Drawer> ALL =
            List.of(
                    new Drawer(
                            "Move",
                            type -> true,
                            (nodes, at) -> nodes.move(at.name(), at.input(), at.type().shape())),
                    new Drawer(
                            "ChannelTable",
                            type -> type.shape().size(0) <= ChannelTable.MAX_TABLES,
                            (nodes, at) -> nodes.channelTable(at.name(), at.input(), at.type())),
                    new Drawer("Elementwise", type -> true, LaterNodes::elementwise),
                    new Drawer("MatMul", LaterNodes::isSquare, MatrixNodes::product),
                    new Drawer("AttentionWeights", LaterNodes::isSquare, MatrixNodes::weights),
                    new Drawer(
                            "Recurrent",
                            type -> type.shape().rank() == 2,
                            (nodes, at) -> nodes.recurrent(at.name(), at.input(), at.type())),
                    new Drawer("Normalize", type -> true, NormalizeNodes::draw));

    /** Reads an input of its own, of indices. */
    static final String LOOKUP = "Lookup";

    private LaterNodes() {}

    private static IntNode elementwise(RandomNodes nodes, Place at) {
        List<String> fitting =
                at.others().stream()
                        .filter(
                                other ->
                                        Elementwise.fit(
                                                at.types().apply(other).shape(), at.type().shape()))
                        .toList();
        return nodes.elementwise(
                at.name(), at.input(), fitting, name -> at.types().apply(name).codes());
    }

    /* Squares can be multiplied by themselves and by others of their size. */
    private static boolean isSquare(TensorType type) {
        int rank = type.shape().rank();
        return rank >= 2 && type.shape().size(rank - 1) == type.shape().size(rank - 2);
    }

    /**
     * {@return the drawers of all kinds but some}
     *
     * @param without the kinds, as {@link IntNode#kind} names them
     */
    static List<Drawer> without(Set<String> without) {
        return ALL.stream().filter(drawer -> !without.contains(drawer.kind())).toList();
    }

    /**
     * Draws one kind of node whose result is codes.
     *
     * @param kind as {@link IntNode#kind} names it
     * @param fits whether it can read codes of a type
     * @param drawing draws a node
     */
    record Drawer(String kind, Predicate<TensorType> fits, Drawing drawing) {}

    /** Draws a node. */
    interface Drawing {
        /**
         * {@return a node}
         *
         * @param nodes draws numbers and parts of nodes
         * @param at the place for the node
         */
        IntNode draw(RandomNodes nodes, Place at);
    }

    /**
     * The place for a node in a graph under construction.
     *
     * @param name its name
     * @param input the name of codes that it reads
     * @param type their type
     * @param others the names of all codes so far, for nodes that read several
     * @param types the types of results by name
     */
    record Place(
            String name,
            String input,
            TensorType type,
            List<String> others,
            Function<String, TensorType> types) {}
}
