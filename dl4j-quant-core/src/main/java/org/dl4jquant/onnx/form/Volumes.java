// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/*
 * For each position in depth, the planes that its kernel sees become channels, and the positions
 * stand one below the other in one high image. Windows that reach over two of them make rows that
 * are left out. Products and sums are those of the volume.
 */
/** A convolution of volumes, [channels, depth, height, width], as one of an image. */
final class Volumes {

    private static final int DEPTH = 0;
    private static final int ROWS = 1;
    private static final int COLUMNS = 2;
    private static final int AXES = 3;

    private final OnnxNode conv;
    private final Shape volume;
    private final int[] kernel;
    private final int[] strides;
    private final int[] dilations;
    private final int[] pads;
    private final int[] results = new int[AXES];
    private final int height;

    private Volumes(OnnxNode conv, Shape volume, Shape weights) {
        this.conv = conv;
        this.volume = volume;
        this.kernel = weights.dimensions().stream().skip(2).mapToInt(size -> size).toArray();
        conv.requireText("auto_pad", "NOTSET");
        this.strides = conv.integers("strides", new int[] {1, 1, 1});
        this.dilations = conv.integers("dilations", new int[] {1, 1, 1});
        this.pads = conv.integers("pads", new int[2 * AXES]);
        conv.require(
                volume.rank() == 1 + AXES
                        && Arrays.equals(conv.integers("kernel_shape", kernel), kernel),
                "has the weights %s for %s; a convolution of volumes reads [channels, depth, height,"
                        + " width]",
                weights,
                volume);
        for (int axis = 0; axis < AXES; axis++) {
            results[axis] = result(axis);
        }
        int rows = (results[ROWS] - 1) * strides[ROWS] + reach(ROWS);
        conv.require(
                (long) results[DEPTH] * kernel[DEPTH] <= AxisIndices.MAX_SIZE
                        && (long) results[DEPTH] * (rows + strides[ROWS]) <= AxisIndices.MAX_SIZE,
                "has %d positions in depth, of %d planes and %d rows each; together at most %d are"
                        + " understood",
                results[DEPTH],
                kernel[DEPTH],
                rows,
                AxisIndices.MAX_SIZE);
        this.height = (rows + strides[ROWS] - 1) / strides[ROWS] * strides[ROWS];
    }

    private int result(int axis) {
        int before = pads[axis];
        int after = pads[AXES + axis];
        conv.require(
                IntStream.of(before, after, strides[axis] - 1, dilations[axis] - 1)
                        .allMatch(size -> size >= 0 && size <= Window.MAX_EXTENT),
                "has pads, strides or dilations that are none: %d, %d, %d and %d along axis %d",
                before,
                after,
                strides[axis],
                dilations[axis],
                axis + 2);
        long left = (long) volume.size(axis + 1) + before + after - reach(axis);
        conv.require(
                left >= 0 && reach(axis) <= Window.MAX_EXTENT,
                "has a kernel that reaches over %d of axis %d, which is shorter with its padding",
                reach(axis),
                axis + 2);
        return (int) (left / strides[axis] + 1);
    }

    private int reach(int axis) {
        long reach = dilations[axis] * (kernel[axis] - 1L) + 1;
        return (int) Math.min(reach, Window.MAX_EXTENT + 1L);
    }

    /**
     * {@return the node of a convolution of volumes; those before it are added}
     *
     * @param conv the Conv
     * @param read its weights, and the codes that they multiply
     * @param groups how many groups of channels do not see each other
     * @param name the name of the result
     * @param output the form of the result
     * @param source the graph so far
     */
    static IntNode read(
            OnnxNode conv,
            WeightsForm.Read read,
            int groups,
            String name,
            Output.Codes output,
            FormReader source) {
        WeightTensor weights = read.weights();
        Volumes volumes = new Volumes(conv, source.shape(read.input()), weights.shape());
        String planes = source.freeName(name + "/planes");
        source.addFor(Move.of(planes, read.input(), volumes.planes()), read.input());
        String image = source.freeName(name + "/image");
        source.addFor(
                new Convolution(
                        image, planes, volumes.filters(weights), volumes.window(), groups, output),
                name);
        return Move.of(name, image, volumes.kept(weights.channels()));
    }

    private WeightTensor filters(WeightTensor weights) {
        Shape shape = weights.shape();
        return WeightTensor.of(
                Shape.of(
                        shape.size(0),
                        shape.size(1) * kernel[DEPTH],
                        kernel[ROWS],
                        kernel[COLUMNS]),
                weights.range(),
                weights.codes(),
                weights.scales(),
                weights.bias());
    }

    private Window window() {
        return new Window(
                new Extent(kernel[ROWS], kernel[COLUMNS]),
                new Extent(strides[ROWS], strides[COLUMNS]),
                new Extent(dilations[ROWS], dilations[COLUMNS]),
                new Extent(0, pads[COLUMNS]),
                new Extent(0, pads[AXES + COLUMNS]));
    }

    private IndexMap planes() {
        int[] depths = new int[kernel[DEPTH] * results[DEPTH]];
        for (int i = 0; i < depths.length; i++) {
            int place = i % results[DEPTH] * strides[DEPTH];
            int depth = place + i / results[DEPTH] * dilations[DEPTH] - pads[DEPTH];
            depths[i] = depth >= 0 && depth < volume.size(1) ? depth : AxisIndices.ZERO;
        }
        int[] rows = new int[height];
        for (int i = 0; i < height; i++) {
            int row = i - pads[ROWS];
            rows[i] = row >= 0 && row < volume.size(2) ? row : AxisIndices.ZERO;
        }
        List<AxisIndices> axes = new ArrayList<>(IndexMap.identity(volume).axes());
        axes.set(1, AxisIndices.of(depths));
        axes.set(2, AxisIndices.of(rows));
        return new IndexMap(
                volume,
                List.of(0, 1, 2, 3),
                axes,
                Shape.of(volume.size(0) * kernel[DEPTH], results[DEPTH] * height, volume.size(3)));
    }

    private IndexMap kept(int channels) {
        int made = (results[DEPTH] * height - reach(ROWS)) / strides[ROWS] + 1;
        int[] rows = new int[results[DEPTH] * results[ROWS]];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = i / results[ROWS] * (height / strides[ROWS]) + i % results[ROWS];
        }
        Shape image = Shape.of(channels, made, results[COLUMNS]);
        List<AxisIndices> axes = new ArrayList<>(IndexMap.identity(image).axes());
        axes.set(1, AxisIndices.of(rows));
        return new IndexMap(
                image,
                List.of(0, 1, 2),
                axes,
                Shape.of(channels, results[DEPTH], results[ROWS], results[COLUMNS]));
    }
}
