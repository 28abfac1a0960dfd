// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The common part of the forms that pool all places of each channel: the steps of sequences, height
 * and width of images, or the same and the depth of volumes. The graph pools them as images.
 */
final class WholeImages {

    private static final int LEAST_RANK = 2;
    private static final int MOST_RANK = 4;

    private WholeImages() {}

    /**
     * {@return whether a layer pools all places of each channel, as far as its configuration says}
     *
     * @param pool the layer
     * @param rank the number of dimensions of an example
     */
    static boolean arePooled(GlobalPoolingLayer pool, int rank) {
        int[] pooled = pool.getPoolingDimensions();
        return rank >= LEAST_RANK
                && rank <= MOST_RANK
                && (pooled == null
                        || Arrays.equals(pooled, IntStream.rangeClosed(2, rank).toArray())
                        || (haveChannelsLast(pool) && pooled.length == rank - 1));
    }

    /**
     * {@return whether a layer pools the places of examples with the channels last}
     *
     * @param pool the layer
     */
    static boolean haveChannelsLast(GlobalPoolingLayer pool) {
        int[] pooled = pool.getPoolingDimensions();
        return pooled != null
                && Arrays.equals(pooled, IntStream.rangeClosed(1, pooled.length).toArray());
    }

    /**
     * {@return examples with the channels first, as a view}
     *
     * @param examples several, along the first dimension
     * @param channelsLast whether the channels come last
     */
    static INDArray channelsFirst(INDArray examples, boolean channelsLast) {
        if (!channelsLast) {
            return examples;
        }
        int last = examples.rank() - 1;
        int[] order = new int[last + 1];
        Arrays.setAll(order, axis -> axis < 2 ? axis * last : axis - 1);
        return examples.permute(order);
    }

    /**
     * Refuses a layer that pools anything but all places of its channels.
     *
     * @param pool the layer
     * @param shape the shape of one example
     */
    static void require(GlobalPoolingLayer pool, Shape shape) {
        if (!arePooled(pool, shape.rank())) {
            int[] pooled = pool.getPoolingDimensions();
            throw new IntegerRefusal(
                    "it pools "
                            + (pooled == null
                                    ? ""
                                    : "dimensions " + Arrays.toString(pooled) + " of ")
                            + "examples of shape "
                            + shape,
                    "pool all steps of sequences, which are dimension 2, or the height and width of"
                            + " images, which are dimensions 2 and 3, or 1 and 2 with the channels"
                            + " last");
        }
    }

    /**
     * {@return codes as images with the same channels}
     *
     * @param graph takes the node
     * @param pool the layer
     * @param codes sequences, images or volumes
     */
    static String images(NodeEmitter graph, GlobalPoolingLayer pool, String codes) {
        Shape shape = graph.type(codes).shape();
        require(pool, shape);
        if (shape.isImage()) {
            return codes;
        }
        int width = shape.size(shape.rank() - 1);
        Shape image = Shape.of(shape.size(0), shape.elements() / shape.size(0) / width, width);
        return graph.add(new Reshape(graph.inner("image"), codes, image));
    }

    /**
     * {@return where the pooled images go: the step itself, or a part of it if their shape changes
     * after}
     *
     * @param graph the step's
     * @param pool the layer
     * @param shape the shape of one example
     */
    static NodeEmitter pooledBy(NodeEmitter graph, GlobalPoolingLayer pool, Shape shape) {
        return pool.isCollapseDimensions() || !shape.isImage() ? graph.part("pool") : graph;
    }

    /**
     * {@return pooled images in the layer's own shape: without the sizes of 1 if it drops them}
     *
     * @param graph takes the node
     * @param pool the layer
     * @param shape the shape of one example before
     * @param pooled the images
     */
    static Signal.Codes collapsed(
            NodeEmitter graph, GlobalPoolingLayer pool, Shape shape, Signal.Codes pooled) {
        int[] sizes = new int[pool.isCollapseDimensions() ? 1 : shape.rank()];
        Arrays.fill(sizes, 1);
        sizes[0] = shape.size(0);
        return sizes.length == Shape.IMAGE_RANK
                ? pooled
                : new Signal.Codes(
                        graph.add(new Reshape(graph.name(), pooled.node(), Shape.of(sizes))));
    }
}
