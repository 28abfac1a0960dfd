// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.graph.node.MaxPool;

/**
 * The form of max pools of images: the largest codes of windows. The network infers them with
 * DL4J's own maximum, because a larger code stands for a larger value.
 *
 * @param layer DL4J's configuration
 */
record MaxPoolForm(SubsamplingLayer layer) implements IntegerForm {

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(inputs.get(0));
        return List.of(
                new Signal.Codes(
                        graph.add(
                                new MaxPool(
                                        graph.name(),
                                        codes,
                                        ImageWindow.of(layer).over(graph.type(codes).shape())))));
    }
}
