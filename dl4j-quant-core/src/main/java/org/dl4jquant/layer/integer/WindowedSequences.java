// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.Shape;

/** Sequences as images one column wide, while their windows are pooled. */
final class WindowedSequences {

    private static final int RANK = 2;

    private WindowedSequences() {}

    /**
     * {@return the codes of images}
     *
     * @param graph takes the node
     * @param codes the codes of images or sequences
     * @param shape the shape of one of them
     */
    static String images(NodeEmitter graph, String codes, Shape shape) {
        return shape.rank() == RANK
                ? graph.add(
                        new Reshape(
                                graph.inner("image"),
                                codes,
                                Shape.of(shape.size(0), shape.size(1), 1)))
                : codes;
    }

    /**
     * {@return where the pooled images go}
     *
     * @param graph the step's
     * @param rank the number of dimensions of an example
     */
    static NodeEmitter pooledBy(NodeEmitter graph, int rank) {
        return rank == RANK ? graph.part("pool") : graph;
    }

    /**
     * {@return pooled images in the step's own shape}
     *
     * @param graph takes the node
     * @param rank the number of dimensions of an example
     * @param pooled the images
     */
    static Signal.Codes result(NodeEmitter graph, int rank, String pooled) {
        Shape image = graph.type(pooled).shape();
        return new Signal.Codes(
                rank == RANK
                        ? graph.add(
                                new Reshape(
                                        graph.name(),
                                        pooled,
                                        Shape.of(image.size(0), image.size(1))))
                        : pooled);
    }
}
