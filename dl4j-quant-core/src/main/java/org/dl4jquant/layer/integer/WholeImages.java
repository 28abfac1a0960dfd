// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The common part of the forms that pool the whole height and width of images. */
final class WholeImages {

    /** Channels, height, width. */
    private static final int IMAGE_RANK = 3;

    private WholeImages() {}

    /**
     * {@return whether a layer pools height and width, as far as its configuration says}
     *
     * @param pool the layer
     */
    static boolean arePooled(GlobalPoolingLayer pool) {
        int[] pooled = pool.getPoolingDimensions();
        return pooled == null || Arrays.equals(pooled, new int[] {2, 3}) || haveChannelsLast(pool);
    }

    /**
     * {@return whether a layer pools height and width of images with the channels last}
     *
     * @param pool the layer
     */
    static boolean haveChannelsLast(GlobalPoolingLayer pool) {
        return Arrays.equals(pool.getPoolingDimensions(), new int[] {1, 2});
    }

    /**
     * {@return images with the channels first, as a view}
     *
     * @param images four dimensions
     * @param channelsLast whether the channels come last
     */
    static INDArray channelsFirst(INDArray images, boolean channelsLast) {
        return channelsLast ? images.permute(0, 3, 1, 2) : images;
    }

    /**
     * Refuses a layer that pools anything but the height and width of images.
     *
     * @param pool the layer
     * @param image the shape of one example
     */
    static void require(GlobalPoolingLayer pool, Shape image) {
        int[] pooled = pool.getPoolingDimensions();
        if (image.rank() != IMAGE_RANK || !arePooled(pool)) {
            throw new IntegerRefusal(
                    "it pools "
                            + (pooled == null
                                    ? ""
                                    : "dimensions " + Arrays.toString(pooled) + " of ")
                            + "examples of shape "
                            + image,
                    "pool the height and width of images, which are dimensions 2 and 3, or 1 and 2"
                            + " with the channels last");
        }
    }

    /**
     * {@return where the pooled images go: the step itself, or a part of it if their height and
     * width of 1 are dropped after}
     *
     * @param graph the step's
     * @param pool the layer
     */
    static NodeEmitter pooledBy(NodeEmitter graph, GlobalPoolingLayer pool) {
        return pool.isCollapseDimensions() ? graph.part("pool") : graph;
    }

    /**
     * {@return pooled images, without their height and width of 1 if the layer drops them}
     *
     * @param graph takes the node
     * @param pool the layer
     * @param pooled the images
     */
    static Signal.Codes collapsed(NodeEmitter graph, GlobalPoolingLayer pool, Signal.Codes pooled) {
        if (!pool.isCollapseDimensions()) {
            return pooled;
        }
        int channels = graph.type(pooled.node()).shape().size(0);
        return new Signal.Codes(
                graph.add(new Reshape(graph.name(), pooled.node(), Shape.of(channels))));
    }
}
