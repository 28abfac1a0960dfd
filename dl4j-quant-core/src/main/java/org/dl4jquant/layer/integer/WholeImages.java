// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.Optional;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.Shape;

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
        return pooled == null || Arrays.equals(pooled, new int[] {2, 3});
    }

    /**
     * Refuses a layer that pools anything but the height and width of images.
     *
     * @param pool the layer
     * @param image the shape of one example
     */
    static void require(GlobalPoolingLayer pool, Shape image) {
        int[] pooled = pool.getPoolingDimensions();
        boolean channelsLast = Arrays.equals(pooled, new int[] {1, 2});
        Optional.ofNullable(ImageWindow.refusal(channelsLast ? CNN2DFormat.NHWC : CNN2DFormat.NCHW))
                .ifPresent(
                        refusal -> {
                            throw refusal.exception();
                        });
        if (image.rank() != IMAGE_RANK || !arePooled(pool)) {
            throw new IntegerRefusal(
                    "it pools "
                            + (pooled == null
                                    ? ""
                                    : "dimensions " + Arrays.toString(pooled) + " of ")
                            + "examples of shape "
                            + image,
                    "pool the height and width of images, which are dimensions 2 and 3");
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
