// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.MoveByMask;
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
    public MaskUse maskUse() {
        return MaskUse.ENDS;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String all = graph.codes(inputs.get(0));
        Shape shape = graph.type(all).shape();
        String codes = counting(graph, all, shape);
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

    /* A step that the mask hides has the least code, which no maximum is. */
    private static String counting(NodeEmitter graph, String codes, Shape shape) {
        Optional<String> mask = shape.rank() == 2 ? graph.mask(shape.size(1)) : Optional.empty();
        return mask.isEmpty()
                ? codes
                : graph.add(
                        new MoveByMask(
                                graph.inner("counting"),
                                codes,
                                mask.get(),
                                MoveByMask.Choice.LEAST));
    }
}
