// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.Shape;

/**
 * The form of max pools of volumes: the largest codes of each slice's windows, and then the largest
 * of those in a row along the depth. The network infers them with DL4J's own maximum.
 *
 * @param layer DL4J's configuration
 */
record VolumeMaxPoolForm(Subsampling3DLayer layer) implements IntegerForm {

    private static final int RANK = 4;

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(inputs.get(0));
        Shape volume = Dimensions.require(graph, codes, RANK);
        VolumeWindows windows = VolumeSpans.over(layer, volume);
        WindowSpan none = WindowSpan.single();
        String slices =
                graph.add(
                        new Reshape(
                                graph.inner("slices"),
                                codes,
                                Shape.of(
                                        volume.size(0) * volume.size(1),
                                        volume.size(2),
                                        volume.size(3))));
        String pooled =
                graph.add(
                        new MaxPool(
                                graph.inner("slice-pool"),
                                slices,
                                window(windows.rows(), windows.columns())));
        Shape image = graph.type(pooled).shape();
        String columns =
                graph.add(
                        new Reshape(
                                graph.inner("depth"),
                                pooled,
                                Shape.of(
                                        volume.size(0),
                                        volume.size(1),
                                        image.size(1) * image.size(2))));
        String deep =
                graph.add(
                        new MaxPool(
                                graph.inner("depth-pool"), columns, window(windows.depth(), none)));
        return List.of(
                new Signal.Codes(
                        graph.add(
                                new Reshape(
                                        graph.name(),
                                        deep,
                                        Shape.of(
                                                volume.size(0),
                                                windows.depth().results(),
                                                image.size(1),
                                                image.size(2))))));
    }

    private static Window window(WindowSpan rows, WindowSpan columns) {
        if (Math.min(rows.before(), columns.before()) < 0) {
            throw new IntegerRefusal(
                    "in mode Same its strides are so long that its first window begins inside the"
                            + " volume",
                    "use ConvolutionMode.Truncate, or strides that are at most one longer than the"
                            + " kernel");
        }
        return new Window(
                new Extent(rows.kernel(), columns.kernel()),
                new Extent(rows.stride(), columns.stride()),
                new Extent(
                        rows.kernel() == 1 ? 1 : rows.dilation(),
                        columns.kernel() == 1 ? 1 : columns.dilation()),
                new Extent(rows.before(), columns.before()),
                new Extent(Math.max(0, rows.after()), Math.max(0, columns.after())));
    }
}
