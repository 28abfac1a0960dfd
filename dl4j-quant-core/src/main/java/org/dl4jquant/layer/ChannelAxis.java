// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.kind.LayerKinds;

/** Where DL4J's layers have the channels of their results. */
final class ChannelAxis {

    private ChannelAxis() {}

    /**
     * {@return the dimension of a layer's result that its output channels lie along}
     *
     * @param layer the layer's configuration
     */
    static int of(Layer layer) {
        return LayerKinds.of(layer).channelAxis();
    }
}
