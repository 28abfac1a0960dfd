// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;

/**
 * The kernel that brings codes to other places; its arguments: codes, table, codes.
 *
 * @param kernel the kernel
 * @param tables for each axis whose indices are not all in order, what each adds to the number of
 *     the source's element; one axis after another, empty if no axis needs one
 */
public record MoveKernel(KernelSpec kernel, List<Integer> tables) {

    private static final int NO_TABLE = -1;
    private static final int BYTE = 0xff;

    /** Copies the tables. */
    public MoveKernel {
        tables = List.copyOf(tables);
    }

    /**
     * An axis of the result.
     *
     * @param size how many indices it has
     * @param stride what an index adds to the number of the source's element, times the index
     * @param start where its table begins; below 0 without one
     */
    private record Axis(int size, int stride, int start) {}

    /**
     * {@return the kernel of a map}
     *
     * @param from where the codes lie, counted by channel, row and column
     * @param to where they go; its pitch is a multiple of 16
     * @param map from where each code of the result comes
     * @param params how the codes stand for values
     */
    public static MoveKernel of(
            ImageLayout from, ImageLayout to, IndexMap map, QuantParams params) {
        long fromPixels = ElementKernels.pixels(from);
        long toPixels = ElementKernels.pixels(to);
        Require.argument(
                fromPixels * from.channels() == map.view().elements()
                        && toPixels * to.channels() == map.shape().elements()
                        && to.pitch() % ImageLayout.CHUNK == 0,
                "%s cannot be moved to %s by %s",
                from,
                to,
                map);
        List<Integer> tables = new ArrayList<>();
        List<Axis> axes = axes(map, tables);
        Constants constants =
                new Constants()
                        .put("FROM_PIXELS", fromPixels)
                        .put("FROM_PITCH", from.pitch())
                        .put("TO_CHANNELS", to.channels())
                        .put("TO_PIXELS", toPixels)
                        .put("TO_PITCH", to.pitch())
                        .put("ZERO", params.zeroPoint() & BYTE)
                        .put("BY_CHUNKS", movesChunks(from, to, map));
        for (int i = 0; i < IndexMap.MAX_RANK; i++) {
            Axis axis = i < axes.size() ? axes.get(i) : new Axis(1, 0, NO_TABLE);
            constants
                    .put("SIZE_" + i, axis.size())
                    .put("STRIDE_" + i, axis.stride())
                    .put("START_" + i, axis.start());
        }
        long units = toPixels * ElementKernels.over(to.channels(), ImageLayout.CHUNK);
        return new MoveKernel(ElementKernels.kernel("move.cu", constants, units, 0), tables);
    }

    /** {@return the tables as an array} */
    public int[] tableArray() {
        return tables.stream().mapToInt(Integer::intValue).toArray();
    }

    /* Neighbours that are as they were in the source are one axis. */
    private static List<Axis> axes(IndexMap map, List<Integer> tables) {
        List<Axis> axes = new ArrayList<>();
        for (int i = 0; i < map.axes().size(); i++) {
            AxisIndices indices = map.axes().get(i);
            int stride = map.strides().get(i);
            boolean plain =
                    IntStream.range(0, indices.size()).allMatch(at -> indices.source(at) == at);
            Axis last = axes.isEmpty() ? new Axis(1, 0, NO_TABLE) : axes.get(axes.size() - 1);
            if (plain && indices.size() == 1) {
                continue;
            }
            boolean joined =
                    plain
                            && indices.isIdentity(map.view().size(map.order().get(i)))
                            && last.start() < 0
                            && last.stride() == stride * indices.size();
            if (joined) {
                axes.set(axes.size() - 1, new Axis(last.size() * indices.size(), stride, NO_TABLE));
            } else if (plain) {
                axes.add(new Axis(indices.size(), stride, NO_TABLE));
            } else {
                axes.add(new Axis(indices.size(), stride, tables.size()));
                for (int offset : map.offsets().get(i)) {
                    tables.add(offset);
                }
            }
        }
        return axes;
    }

    /*
     * Whether 16 channels of the result are always 16 channels of one pixel of the source. The first
     * axes must be the channels; the last of these moves along the source's channels in chunks; all
     * others move by whole chunks of channels, or inside the pixels.
     */
    private static boolean movesChunks(ImageLayout from, ImageLayout to, IndexMap map) {
        List<Integer> sizes = map.gathered().dimensions();
        int channels = 1;
        int ofChannels = 0;
        while (channels < to.channels()) {
            channels *= sizes.get(ofChannels++);
        }
        int inner = ofChannels - 1;
        while (inner >= 0 && sizes.get(inner) == 1) {
            inner--;
        }
        long pixels = ElementKernels.pixels(from);
        if (channels != to.channels()
                || inner < 0
                || from.pitch() % ImageLayout.CHUNK != 0
                || map.strides().get(inner) != pixels
                || !inChunks(map.axes().get(inner))
                || (sizes.get(inner) != channels && sizes.get(inner) % ImageLayout.CHUNK != 0)) {
            return false;
        }
        for (int axis = 0; axis < sizes.size(); axis++) {
            long stride = map.strides().get(axis);
            boolean inside = stride * map.view().size(map.order().get(axis)) <= pixels;
            if (axis != inner && !inside && stride % (ImageLayout.CHUNK * pixels) != 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean inChunks(AxisIndices indices) {
        for (int at = 0; at < indices.size(); at++) {
            int inChunk = at % ImageLayout.CHUNK;
            int first = indices.source(at - inChunk);
            int expected = first == AxisIndices.ZERO ? first : first + inChunk;
            if (indices.source(at) != expected
                    || (first != AxisIndices.ZERO && first % ImageLayout.CHUNK != 0)) {
                return false;
            }
        }
        return true;
    }
}
