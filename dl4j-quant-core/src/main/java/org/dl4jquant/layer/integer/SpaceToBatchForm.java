// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.layers.SpaceToBatchLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * The form of a layer that makes a batch of the pixels that have one place in their blocks. The
 * graph keeps the batches apart ({@link Signal.Stacked}).
 *
 * @param block rows and columns of a block
 * @param before zeros above and left of the image
 * @param after zeros below and right of it
 */
public record SpaceToBatchForm(Extent block, Extent before, Extent after) implements IntegerForm {

    /** Checks the parts. */
    public SpaceToBatchForm {
        Objects.requireNonNull(block, "block");
        Objects.requireNonNull(before, "before");
        Objects.requireNonNull(after, "after");
    }

    /**
     * Returns the support of the layer.
     *
     * @param layer the layer's configuration
     * @return a form
     */
    public static IntegerSupport of(SpaceToBatchLayer layer) {
        Require.given(layer, "layer");
        int[] blocks = layer.getBlocks();
        int[][] padding = layer.getPadding();
        SpaceToBatchForm form =
                new SpaceToBatchForm(
                        new Extent(blocks[0], blocks[1]),
                        new Extent(padding[0][0], padding[1][0]),
                        new Extent(padding[0][1], padding[1][1]));
        return ChannelsLastForm.of(
                layer.getFormat(),
                IntegerSupport.of(
                        tensors -> tensors.isQuantized() ? RefusedForm.ofQuantizers(layer) : form));
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String codes = graph.codes(inputs.get(0));
        Shape image = graph.type(codes).shape();
        int rows = image.isImage() ? image.size(1) + before.height() + after.height() : 0;
        int columns = image.isImage() ? image.size(2) + before.width() + after.width() : 0;
        if (!image.isImage() || rows % block.height() != 0 || columns % block.width() != 0) {
            throw new IntegerRefusal(
                    "it cuts "
                            + image
                            + " with its padding into blocks of "
                            + block.height()
                            + " x "
                            + block.width()
                            + " pixels",
                    "let it read images whose padded height and width are multiples of the"
                            + " block's");
        }
        List<Signal> parts = new ArrayList<>();
        for (int row = 0; row < block.height(); row++) {
            for (int column = 0; column < block.width(); column++) {
                NodeEmitter part = graph.part(String.valueOf(parts.size()));
                IndexMap map =
                        IndexMap.select(
                                image,
                                1,
                                List.of(
                                        every(
                                                block.height(),
                                                row,
                                                rows,
                                                before.height(),
                                                image.size(1)),
                                        every(
                                                block.width(),
                                                column,
                                                columns,
                                                before.width(),
                                                image.size(2))));
                parts.add(new Signal.Codes(part.add(Move.of(part.name(), codes, map))));
            }
        }
        return List.of(Signal.Stacked.of(parts));
    }

    private static AxisIndices every(int step, int first, int padded, int before, int size) {
        return AxisIndices.of(
                IntStream.range(0, padded / step)
                        .map(at -> first + at * step - before)
                        .map(at -> at < 0 || at >= size ? AxisIndices.ZERO : at)
                        .toArray());
    }
}
