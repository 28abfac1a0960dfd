// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.numeric.Shape;

/**
 * The form of max pools of images and sequences: the largest codes of windows. The network infers
 * them with DL4J's own maximum, because a larger code stands for a larger value.
 *
 * @param window DL4J's windows; a sequence is an image one column wide
 * @param rank the number of dimensions of an example: 3 for images, 2 for sequences
 */
record MaxPoolForm(ImageWindow window, int rank) implements IntegerForm {

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(inputs.get(0));
        Shape shape = Dimensions.require(graph, codes, rank);
        String images = WindowedSequences.images(graph, codes, shape);
        String pooled =
                graph.add(
                        new MaxPool(
                                WindowedSequences.pooledBy(graph, rank).name(),
                                images,
                                window.over(graph.type(images).shape())));
        return List.of(WindowedSequences.result(graph, rank, pooled));
    }
}
