// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/*
 * x * 200 = x * 127 + x * 73: an input channel of which some weight is too large is read twice, and
 * the weight is the sum of two. The products and their sum stay what they were.
 */
/**
 * Weights of another tool, of which some, less their zero point, are outside of [-127, 127], and
 * how they are split.
 */
final class WideWeights {

    private static final int LARGEST = CodeRange.narrow(CodeRange.MAX_BITS).max();

    private final Shape shape;
    private final int[] codes;
    private final List<List<Integer>> extras = new ArrayList<>();
    private final int perGroup;
    private final int inner;
    private final int more;

    /**
     * Finds the input channels that are to be read more than once.
     *
     * @param shape [out, in / groups, ...]
     * @param codes the codes less their zero point, row-major
     * @param groups how many groups of channels do not see each other
     */
    WideWeights(Shape shape, int[] codes, int groups) {
        this.shape = shape;
        this.codes = codes;
        this.perGroup = shape.size(1);
        this.inner = shape.elements() / (shape.size(0) * perGroup);
        int rows = shape.size(0) / groups * perGroup * inner;
        int most = 0;
        for (int group = 0; group < groups; group++) {
            int[] largest = new int[perGroup];
            for (int i = group * rows; i < (group + 1) * rows; i++) {
                int channel = i / inner % perGroup;
                largest[channel] = Math.max(largest[channel], Math.abs(codes[i]));
            }
            List<Integer> channels = new ArrayList<>();
            for (int channel = 0; channel < perGroup; channel++) {
                for (int left = largest[channel] - LARGEST; left > 0; left -= LARGEST) {
                    channels.add(channel);
                }
            }
            extras.add(channels);
            most = Math.max(most, channels.size());
        }
        this.more = most;
    }

    /** {@return which channels of its input the split weights read; nothing if none is split} */
    Optional<IndexMap> channels(Shape input) {
        if (more == 0) {
            return Optional.empty();
        }
        int[] channels = new int[extras.size() * (perGroup + more)];
        Arrays.setAll(channels, this::channel);
        return Optional.of(IndexMap.select(input, 0, AxisIndices.of(channels)));
    }

    private int channel(int index) {
        int group = index / (perGroup + more);
        int place = index % (perGroup + more);
        List<Integer> copies = extras.get(group);
        int local = place < perGroup ? place : 0;
        if (place >= perGroup && place - perGroup < copies.size()) {
            local = copies.get(place - perGroup);
        }
        return group * perGroup + local;
    }

    /** {@return the shape of the split weights} */
    Shape shape() {
        List<Integer> sizes = new ArrayList<>(shape.dimensions());
        sizes.set(1, perGroup + more);
        return new Shape(sizes);
    }

    /** {@return the split codes} */
    byte[] codes() {
        int perOutput = perGroup * inner;
        byte[] split = new byte[shape.size(0) * (perGroup + more) * inner];
        for (int output = 0; output < shape.size(0); output++) {
            List<Integer> copies = extras.get(output / (shape.size(0) / extras.size()));
            int from = output * perOutput;
            int to = output * (perGroup + more) * inner;
            int[] left = Arrays.copyOfRange(codes, from, from + perOutput);
            for (int channel = 0; channel < perGroup; channel++) {
                take(left, channel, split, to + channel * inner);
            }
            for (int copy = 0; copy < copies.size(); copy++) {
                take(left, copies.get(copy), split, to + (perGroup + copy) * inner);
            }
        }
        return split;
    }

    private void take(int[] left, int channel, byte[] split, int to) {
        for (int i = 0; i < inner; i++) {
            int part = Math.max(-LARGEST, Math.min(LARGEST, left[channel * inner + i]));
            split[to + i] = (byte) part;
            left[channel * inner + i] -= part;
        }
    }
}
