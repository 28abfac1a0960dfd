// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.HashMap;
import java.util.Map;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.TensorType;
import org.jspecify.annotations.Nullable;

/**
 * Which results are written where a concatenation has them, so that nothing is copied.
 *
 * <p>That is so if the codes need no other scale, if the slice begins at a multiple of 16 channels,
 * and if it ends at one or is the last: kernels write whole chunks.
 */
final class Slices {

    private final Map<String, Slice> slices = new HashMap<>();

    /**
     * A part of a concatenation.
     *
     * @param concat the concatenation
     * @param offset its first channel, which is its first byte in each pixel
     */
    record Slice(Concat concat, int offset) {}

    private Slices() {}

    /** {@return no slices: concatenations copy} */
    static Slices none() {
        return new Slices();
    }

    /** {@return the slices of a graph} */
    static Slices of(IntGraph graph) {
        Map<String, IntNode> nodes = new HashMap<>();
        graph.nodes().forEach(node -> nodes.put(node.name(), node));
        Slices slices = new Slices();
        for (IntNode node : graph.nodes()) {
            if (node instanceof Concat concat) {
                slices.add(concat, graph, nodes);
            }
        }
        return slices;
    }

    private void add(Concat concat, IntGraph graph, Map<String, IntNode> nodes) {
        int offset = 0;
        for (int i = 0; i < concat.inputs().size(); i++) {
            String input = concat.inputs().get(i);
            TensorType type = graph.type(input);
            int channels = type.shape().size(0);
            boolean last = i == concat.inputs().size() - 1;
            boolean whole =
                    offset % ImageLayout.CHUNK == 0 && (last || channels % ImageLayout.CHUNK == 0);
            IntNode node = nodes.get(input);
            if (whole
                    && type.codes().equals(concat.params())
                    && !(node instanceof Reshape || node instanceof Concat)) {
                slices.putIfAbsent(input, new Slice(concat, offset));
            }
            offset += channels;
        }
    }

    /** {@return where a result is written; null if it has memory of its own} */
    @Nullable Slice of(String result) {
        return slices.get(result);
    }

    /** {@return whether part {@code offset} of a concatenation is there without a copy} */
    boolean isPlaced(String input, Concat concat, int offset) {
        return new Slice(concat, offset).equals(slices.get(input));
    }
}
