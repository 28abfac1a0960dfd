// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.List;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * The windows of a kernel over volumes [channels, depth, height, width]; images are one slice deep,
 * sequences also one row high.
 *
 * @param depth the windows along the depth
 * @param rows the windows along the height
 * @param columns the windows along the width
 */
record VolumeWindows(WindowSpan depth, WindowSpan rows, WindowSpan columns) {

    /* A convolution of volumes is one of images (im2col along the depth only): for each slice of the
     * result, the slices of the input that its windows cover become channels, and the slices of the
     * result lie below each other in one high image. Between them lie as many rows of zeros as the
     * padding has; windows that reach from one slice into the next are computed and left out. All
     * engines then have nothing but their fastest convolution, and a copy before and after it. */

    /** {@return whether the result is one slice deep, so that nothing lies below it} */
    private boolean isOneSlice() {
        return depth.results() == 1;
    }

    /** {@return the number of rows that the convolution of images makes for each slice} */
    private int rowsOfSlice() {
        return isOneSlice()
                ? rows.results()
                : rows.results() - 1 + (rows.reach() + rows.stride() - 1) / rows.stride();
    }

    /**
     * {@return the map from a volume to the high image}
     *
     * @param channels the number of channels
     */
    private IndexMap fold(int channels) {
        Shape volume = Shape.of(channels, depth.size(), rows.size(), columns.size());
        AxisIndices slices = covered(depth);
        AxisIndices lines =
                isOneSlice() ? withoutSkipped(rows) : shifted(rows, rowsOfSlice() * rows.stride());
        AxisIndices places = withoutSkipped(columns);
        return IndexMap.select(volume, 1, List.of(slices, lines, places))
                .reshaped(
                        Shape.of(
                                channels * depth.kernel(),
                                depth.results() * lines.size(),
                                places.size()));
    }

    /** {@return for each element of a kernel, in turn, what it covers in all windows} */
    private static AxisIndices covered(WindowSpan span) {
        int[] sources = new int[span.kernel() * span.results()];
        Arrays.setAll(
                sources,
                i ->
                        span.source(
                                i % span.results() * span.stride()
                                        + i / span.results() * span.dilation()));
        return AxisIndices.of(sources);
    }

    private static AxisIndices shifted(WindowSpan span, int length) {
        int[] sources = new int[length];
        Arrays.setAll(sources, span::source);
        return AxisIndices.of(sources);
    }

    /* Negative padding is elements that no window covers. */
    private static AxisIndices withoutSkipped(WindowSpan span) {
        return AxisIndices.range(
                Math.max(0, -span.before()), span.size() - Math.max(0, -span.after()));
    }

    private Window window() {
        int below =
                isOneSlice()
                        ? Math.max(0, rows.after())
                        : Math.max(0, rows.reach() - rows.stride());
        return new Window(
                new Extent(rows.kernel(), columns.kernel()),
                new Extent(rows.stride(), columns.stride()),
                new Extent(steps(rows), steps(columns)),
                new Extent(isOneSlice() ? Math.max(0, rows.before()) : 0, padding(columns)),
                new Extent(below, Math.max(0, columns.after())));
    }

    private static int padding(WindowSpan span) {
        return Math.max(0, span.before());
    }

    private static int steps(WindowSpan span) {
        return span.kernel() == 1 ? 1 : span.dilation();
    }

    /**
     * {@return the convolution of these windows, after the nodes that move its input}
     *
     * @param graph takes those nodes
     * @param name the convolution's name
     * @param input the codes of a volume, an image or a sequence
     * @param weights [out, in / groups, depth, height, width], or without some of the last three
     *     dimensions if they are 1
     * @param groups the number of groups of channels that do not see each other
     * @param output codes or float32 values
     */
    Convolution convolution(
            NodeEmitter graph,
            String name,
            String input,
            WeightTensor weights,
            int groups,
            Output output) {
        int channels = graph.type(input).shape().size(0);
        String image = Moves.add(graph, "windows", input, fold(channels));
        Shape filters =
                Shape.of(
                        weights.channels(),
                        channels / groups * depth.kernel(),
                        rows.kernel(),
                        columns.kernel());
        WeightTensor flat = weights.reshaped(filters);
        return new Convolution(name, image, flat, window(), groups, output);
    }

    /**
     * {@return the maps from a volume to one pixel, whose channels are, for each place of the
     * result in turn, column by column, what its window covers of each channel}
     *
     * @param channels the number of channels
     */
    List<IndexMap> pixels(int channels) {
        Shape volume = Shape.of(channels, depth.size(), rows.size(), columns.size());
        List<AxisIndices> covered = List.of(inTurn(depth), inTurn(rows), inTurn(columns));
        Shape windows =
                Shape.of(
                        channels,
                        depth.results(),
                        depth.kernel(),
                        rows.results(),
                        rows.kernel(),
                        columns.results(),
                        columns.kernel());
        return List.of(
                IndexMap.select(volume, 1, covered),
                IndexMap.permute(windows, List.of(1, 5, 3, 0, 2, 4, 6))
                        .reshaped(Shape.of(windows.elements(), 1, 1)));
    }

    /** {@return for each window, in turn, what it covers} */
    private static AxisIndices inTurn(WindowSpan span) {
        int[] sources = new int[span.kernel() * span.results()];
        Arrays.setAll(
                sources,
                i ->
                        span.source(
                                i / span.kernel() * span.stride()
                                        + i % span.kernel() * span.dilation()));
        return AxisIndices.of(sources);
    }

    /**
     * {@return the maps from the result of {@link #convolution} to volumes, images or sequences}
     *
     * @param channels the number of output channels
     * @param rank the number of dimensions: 4 for volumes, 3 for images, 2 for sequences
     */
    List<IndexMap> unfold(int channels, int rank) {
        if (isOneSlice() && rank == Shape.IMAGE_RANK) {
            return List.of();
        }
        Shape image = Shape.of(channels, depth.results(), rowsOfSlice(), columns.results());
        return List.of(
                IndexMap.select(image, 2, AxisIndices.range(0, rows.results()))
                        .reshaped(result(channels, rank)));
    }

    /**
     * {@return the map from the result of {@link #convolution} to blocks: depth to space}
     *
     * @param block the sizes of a block: depth, height, width
     * @param channels the number of channels; the convolution has as many for each element of a
     *     block
     */
    IndexMap depthToSpace(int[] block, int channels) {
        Shape blocks =
                Shape.of(
                        block[0],
                        block[1],
                        block[2],
                        channels,
                        depth.results(),
                        rowsOfSlice(),
                        columns.results());
        List<AxisIndices> indices =
                List.of(
                        AxisIndices.identity(channels),
                        AxisIndices.identity(depth.results()),
                        AxisIndices.identity(block[0]),
                        AxisIndices.range(0, rows.results()),
                        AxisIndices.identity(block[1]),
                        AxisIndices.identity(columns.results()),
                        AxisIndices.identity(block[2]));
        return new IndexMap(
                blocks,
                List.of(3, 4, 0, 5, 1, 6, 2),
                indices,
                Shape.of(
                        channels,
                        depth.results() * block[0],
                        rows.results() * block[1],
                        columns.results() * block[2]));
    }

    /**
     * {@return the shape of the result}
     *
     * @param channels the number of output channels
     * @param rank the number of dimensions: 4 for volumes, 3 for images, 2 for sequences
     */
    private Shape result(int channels, int rank) {
        int[] all = {depth.results(), rows.results(), columns.results()};
        int[] sizes = new int[rank];
        sizes[0] = channels;
        System.arraycopy(all, all.length - rank + 1, sizes, 1, rank - 1);
        return Shape.of(sizes);
    }
}
