// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.numeric.IndexMap;

/**
 * Maps of elements in a row, as few nodes as they need.
 *
 * @param maps the maps, in order; none of two neighbours can be one
 */
record Moves(List<IndexMap> maps) {

    /**
     * {@return the maps, joined where one can say two}
     *
     * @param maps the maps, in order
     */
    static Moves of(List<IndexMap> maps) {
        List<IndexMap> joined = new ArrayList<>();
        for (IndexMap map : maps) {
            IndexMap last = joined.isEmpty() ? null : joined.get(joined.size() - 1);
            IndexMap both = last == null ? null : last.then(map).orElse(null);
            if (both != null) {
                joined.set(joined.size() - 1, both);
            } else {
                joined.add(map);
            }
        }
        return new Moves(List.copyOf(joined));
    }

    /** {@return whether nothing moves and no shape changes} */
    boolean isEmpty() {
        return maps.isEmpty();
    }

    /**
     * {@return the node of the moved codes, or the codes if nothing moves}
     *
     * @param graph takes the nodes; the last one holds the step's result
     * @param codes the node of the codes
     */
    String emit(NodeEmitter graph, String codes) {
        String at = codes;
        for (int i = 0; i < maps.size(); i++) {
            String name = i == maps.size() - 1 ? graph.name() : graph.inner("moved");
            at = graph.add(Move.of(name, at, maps.get(i)));
        }
        return at;
    }

    /**
     * {@return the last of the nodes that compute float32 results, in the order of the network's
     * tensor}
     *
     * @param graph takes the nodes before it
     * @param name its name
     * @param values makes the node of the values before they move, given its name
     */
    IntNode ofResults(NodeEmitter graph, String name, Function<String, ? extends IntNode> values) {
        if (maps.isEmpty() && !graph.hasChannelsLast()) {
            return values.apply(name);
        }
        String at = graph.add(values.apply(graph.inner("sums")));
        List<IndexMap> all = new ArrayList<>(maps);
        if (graph.hasChannelsLast()) {
            all.add(
                    IndexMap.channelsLast(
                            maps.isEmpty()
                                    ? graph.type(at).shape()
                                    : maps.get(maps.size() - 1).shape()));
        }
        List<IndexMap> joined = of(all).maps;
        for (IndexMap map : joined.subList(0, joined.size() - 1)) {
            at = graph.add(Move.of(graph.inner("moved"), at, map));
        }
        return Move.of(name, at, joined.get(joined.size() - 1));
    }

    /**
     * {@return the node of codes moved by one map, or the codes if it changes nothing}
     *
     * @param graph takes the node
     * @param part the node's name in the step
     * @param codes the node of the codes
     * @param map the map
     */
    static String add(NodeEmitter graph, String part, String codes, IndexMap map) {
        return map.keepsOrder() && map.shape().equals(graph.type(codes).shape())
                ? codes
                : graph.add(Move.of(graph.inner(part), codes, map));
    }
}
