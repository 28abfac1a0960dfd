// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeRows;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;

/** The kernels of nodes that look at one place of each input. */
public final class ElementKernels {

    private static final int THREADS = 256;
    private static final int TABLE_BYTES = 256;

    private ElementKernels() {}

    /**
     * {@return the kernel that rounds float32 values to codes; its arguments: values in the graph's
     * order, codes}
     *
     * @param to where the codes go
     * @param params how they stand for values
     */
    public static KernelSpec quantize(ImageLayout to, QuantParams params) {
        Constants constants =
                image(to)
                        .put("PITCH", to.pitch())
                        .put("SCALE", params.scale())
                        .put("ZERO", params.zeroPoint());
        bounds(constants, params.range(), -params.zeroPoint());
        int width = to.pitch() == ImageLayout.SMALL_PITCH ? to.pitch() : ImageLayout.CHUNK;
        return kernel("quantize.cu", constants, pixels(to) * over(to.channels(), width), 0);
    }

    /**
     * {@return the kernel that makes float32 values of codes; its arguments: codes, values in the
     * graph's order}
     *
     * @param from where the codes lie
     * @param params how they stand for values
     */
    public static KernelSpec dequantize(ImageLayout from, QuantParams params) {
        Constants constants =
                image(from)
                        .put("PITCH", from.pitch())
                        .put("SCALE", params.scale())
                        .put("ZERO", params.zeroPoint())
                        .put("UNSIGNED", !params.range().signed());
        return kernel(
                "dequantize.cu", constants, pixels(from) * over(from.channels(), Integer.BYTES), 0);
    }

    /**
     * {@return the kernel of a function of float32 results; its arguments: values, values}
     *
     * @param elements values of one example
     * @param function the function
     */
    public static KernelSpec rectify(int elements, OutputFunction.Rectifier function) {
        boolean sloped = function instanceof OutputFunction.Slope;
        float threshold = function instanceof OutputFunction.Slope slope ? slope.threshold() : 0;
        float factor = function instanceof OutputFunction.Slope slope ? slope.slope() : 0;
        float least = function instanceof OutputFunction.Clamp clamp ? clamp.least() : 0;
        float most = function instanceof OutputFunction.Clamp clamp ? clamp.most() : 0;
        Constants constants =
                new Constants()
                        .put("ELEMENTS", elements)
                        .put("SLOPED", sloped)
                        .put("FLAT", factor == 0)
                        .put("THRESHOLD", threshold)
                        .put("SLOPE", factor)
                        .put("CLIPS_LOW", least != Float.NEGATIVE_INFINITY)
                        .put("CLIPS_HIGH", most != Float.POSITIVE_INFINITY)
                        .put("LOWEST", finite(least))
                        .put("HIGHEST", finite(most));
        return kernel("rectify.cu", constants, elements, 0);
    }

    /**
     * {@return the kernel that cuts and transposes float32 values; its arguments: values, values}
     *
     * @param map takes ranges of the values
     */
    public static KernelSpec transpose(IndexMap map) {
        Require.argument(map.takesRanges(), "%s does more than cut and transpose", map);
        int elements = map.shape().elements();
        List<Integer> strides = map.strides();
        Constants constants = new Constants().put("ELEMENTS", elements);
        int first = 0;
        for (int axis = 0; axis < IndexMap.MAX_RANK; axis++) {
            boolean used = axis < strides.size();
            first += used ? map.axes().get(axis).source(0) * strides.get(axis) : 0;
            constants
                    .put("SIZE_" + axis, used ? map.axes().get(axis).size() : 1)
                    .put("STRIDE_" + axis, used ? strides.get(axis) : 0);
        }
        constants.put("FIRST", first).put("SOURCE_ELEMENTS", map.view().elements());
        return kernel("transpose.cu", constants, elements, 0);
    }

    private static float finite(float value) {
        return Float.isFinite(value) ? value : 0;
    }

    /**
     * {@return the kernel that brings the elements of an image, counted by channel, row and column,
     * into an image of another shape; its arguments: codes, codes}
     *
     * @param from where they lie
     * @param to where they go, as many elements; its pitch is a multiple of 16
     */
    public static KernelSpec reorder(ImageLayout from, ImageLayout to) {
        Require.argument(
                pixels(from) * from.channels() == pixels(to) * to.channels()
                        && to.pitch() % ImageLayout.CHUNK == 0,
                "%s cannot be reordered to %s",
                from,
                to);
        Constants constants = reordered(from, to).put("TO_PITCH", to.pitch()).put("PLAIN", false);
        return kernel(
                "reorder.cu", constants, pixels(to) * over(to.channels(), ImageLayout.CHUNK), 0);
    }

    /**
     * {@return the kernel that brings codes into the graph's order without gaps; its arguments:
     * codes, bytes}
     *
     * @param from where they lie
     */
    public static KernelSpec unpack(ImageLayout from) {
        Constants constants = reordered(from, from).put("TO_PITCH", 0).put("PLAIN", true);
        return kernel(
                "reorder.cu",
                constants,
                over(pixels(from) * from.channels(), ImageLayout.CHUNK),
                0);
    }

    /**
     * {@return the kernel that looks codes up in a table; its arguments: codes, table of 256 bytes,
     * codes}
     *
     * @param from where they lie; a pitch of 4 is not allowed
     * @param pitch bytes from one pixel of the result to the next
     * @param whole whether the result's bytes up to the next multiple of 16 channels may change
     */
    public static KernelSpec table(ImageLayout from, int pitch, boolean whole) {
        requireChunks(from.pitch());
        requireChunks(pitch);
        Constants constants =
                image(from)
                        .put("FROM_PITCH", from.pitch())
                        .put("TO_PITCH", pitch)
                        .put("WHOLE", whole);
        return kernel(
                "table.cu",
                constants,
                pixels(from) * over(from.channels(), ImageLayout.CHUNK),
                TABLE_BYTES);
    }

    /**
     * {@return the kernel that looks up rows of codes; its arguments: float32 indices in the
     * graph's order, rows, codes}
     *
     * @param rows the rows
     * @param indices how many indices an example has
     * @param to where the codes go, counted by channel, row and column; its pitch is a multiple of
     *     16
     */
    public static KernelSpec lookup(CodeRows rows, int indices, ImageLayout to) {
        requireChunks(to.pitch());
        Require.argument(
                pixels(to) * to.channels() == (long) indices * rows.width(),
                "%d rows of %s do not fill %s",
                indices,
                rows,
                to);
        Constants constants =
                image(to)
                        .put("PITCH", to.pitch())
                        .put("INDICES", indices)
                        .put("WIDTH", rows.width())
                        .put("LAST_ROW", (float) (rows.count() - 1));
        return kernel(
                "lookup.cu", constants, pixels(to) * over(to.channels(), ImageLayout.CHUNK), 0);
    }

    /**
     * {@return the kernel that looks codes up in a table of their channel, or of their place; its
     * arguments: codes, tables of 256 bytes, codes}
     *
     * @param from where they lie; a pitch of 4 is not allowed
     * @param pitch bytes from one pixel of the result to the next
     * @param dimensions how many of channel, row and column number the tables, in this order
     */
    public static KernelSpec channelTable(ImageLayout from, int pitch, int dimensions) {
        requireChunks(from.pitch());
        requireChunks(pitch);
        Constants constants =
                image(from)
                        .put("FROM_PITCH", from.pitch())
                        .put("TO_PITCH", pitch)
                        .put("TABLE_ROWS", dimensions > 1 ? from.height() : 1)
                        .put("TABLE_COLUMNS", dimensions > 2 ? from.width() : 1)
                        .put("WIDTH", from.width());
        return kernel(
                "channel_table.cu",
                constants,
                pixels(from) * over(from.channels(), ImageLayout.CHUNK),
                0);
    }

    /**
     * {@return the kernel that adds two tensors; its arguments: left codes, right codes, codes}
     *
     * @param left where the left codes lie
     * @param leftParams how they stand for values
     * @param right where the right codes lie, an image of the same size
     * @param rightParams how they stand for values
     * @param pitch bytes from one pixel of the result to the next
     * @param output how the result's codes stand for values, and their clamp
     */
    public static KernelSpec add(
            ImageLayout left,
            QuantParams leftParams,
            ImageLayout right,
            QuantParams rightParams,
            int pitch,
            Output.Codes output) {
        Require.argument(
                left.equals(right.withPitch(left.pitch())),
                "%s cannot be added to %s",
                left,
                right);
        requireChunks(left.pitch());
        requireChunks(right.pitch());
        requireChunks(pitch);
        Constants constants =
                image(left)
                        .put("LEFT_PITCH", left.pitch())
                        .put("RIGHT_PITCH", right.pitch())
                        .put("OUT_PITCH", pitch)
                        .sum(leftParams, rightParams, output, false);
        return kernel(
                "add.cu", constants, pixels(left) * over(left.channels(), ImageLayout.CHUNK), 0);
    }

    private static Constants reordered(ImageLayout from, ImageLayout to) {
        return new Constants()
                .put("FROM_PIXELS", pixels(from))
                .put("FROM_PITCH", from.pitch())
                .put("TO_CHANNELS", to.channels())
                .put("TO_PIXELS", pixels(to));
    }

    private static Constants image(ImageLayout layout) {
        return new Constants().put("CHANNELS", layout.channels()).put("PIXELS", pixels(layout));
    }

    private static void requireChunks(int pitch) {
        Require.argument(
                pitch > 0 && pitch % ImageLayout.CHUNK == 0,
                "a pitch of %d bytes; a multiple of 16 is allowed",
                pitch);
    }

    /* The bounds of what is rounded, as floats. */
    static void bounds(Constants constants, CodeRange range, int offset) {
        constants
                .put("LOWEST", (float) (range.min() + offset))
                .put("HIGHEST", (float) (range.max() + offset));
    }

    static long pixels(ImageLayout layout) {
        return (long) layout.height() * layout.width();
    }

    static long over(long size, int part) {
        return (size + part - 1) / part;
    }

    static KernelSpec kernel(String file, Constants constants, long units, int sharedBytes) {
        Launch launch = new Launch(units, THREADS, 1, THREADS, sharedBytes);
        return new KernelSpec(file, constants.toMap(), launch, 1);
    }
}
