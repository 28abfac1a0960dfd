// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.Shape;

/**
 * The form of max pools of whole sequences, images and volumes. The network infers them with DL4J's
 * own maximum.
 *
 * @param layer DL4J's configuration
 */
record GlobalMaxPoolForm(GlobalPoolingLayer layer) implements IntegerForm {

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(inputs.get(0));
        Shape shape = graph.type(codes).shape();
        String images = WholeImages.images(graph, layer, codes);
        Shape image = graph.type(images).shape();
        Window.Extent whole = new Window.Extent(image.size(1), image.size(2));
        String pooled =
                graph.add(
                        new MaxPool(
                                WholeImages.pooledBy(graph, layer, shape).name(),
                                images,
                                Window.of(whole, Window.Extent.ONE)));
        return List.of(WholeImages.collapsed(graph, layer, shape, new Signal.Codes(pooled)));
    }
}
