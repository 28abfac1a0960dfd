// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.Arrays;
import java.util.List;
import org.dl4jquant.graph.IntNode;
import org.dl4jquant.graph.Window;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/*
 * The image is first centred (codes minus the zero point) and padded with zeros, so that the sum
 * needs no border cases. Then each weight is multiplied with all places that it meets in one output
 * channel. With stride 1 these places are one run through the padded image, if the sums have its row
 * pitch and what falls between two rows is computed in vain: the virtual machine makes vector code of
 * such a loop.
 */
/** A two-dimensional convolution in int32. */
final class ConvolutionKernel implements Kernel {

    private final byte[] weights; // (out, in / groups, kernel height, kernel width)
    private final int[] bias;
    private final Window window;
    private final int channelsInGroup;
    private final int filtersInGroup;
    private final Shape image;
    private final Shape result;
    private final int zeroPoint;
    private final int paddedHeight;
    private final int paddedWidth;
    private final Requantization requantization;

    ConvolutionKernel(IntNode.Convolution node, Shape image, QuantParams input, Shape result) {
        this.weights = node.weights().codes();
        this.bias = node.weights().bias();
        this.window = node.window();
        this.channelsInGroup = node.weights().shape().size(1);
        this.filtersInGroup = node.weights().channels() / node.groups();
        this.image = image;
        this.result = result;
        this.zeroPoint = input.zeroPoint();
        this.paddedHeight = image.size(1) + window.before().height() + window.after().height();
        this.paddedWidth = image.size(2) + window.before().width() + window.after().width();
        this.requantization = new Requantization(node.output(), input, node.weights());
    }

    @Override
    public Batch run(List<Batch> inputs) {
        Batch.Codes input = (Batch.Codes) inputs.get(0);
        int[] accumulators = new int[input.size() * result.elements()];
        int[] padded = new int[image.size(0) * paddedHeight * paddedWidth];
        int[] sums = new int[result.size(1) * paddedWidth];
        int to = 0;
        for (int example = 0; example < input.size(); example++) {
            pad(input, example, padded);
            for (int filter = 0; filter < bias.length; filter++) {
                Arrays.fill(sums, bias[filter]);
                accumulate(filter, padded, sums);
                for (int y = 0; y < result.size(1); y++) {
                    System.arraycopy(sums, y * paddedWidth, accumulators, to, result.size(2));
                    to += result.size(2);
                }
            }
        }
        return requantization.apply(input.size(), result, accumulators);
    }

    private void pad(Batch.Codes input, int example, int[] padded) {
        int height = image.size(1);
        int width = image.size(2);
        int from = example * image.elements();
        for (int channel = 0; channel < image.size(0); channel++) {
            for (int y = 0; y < height; y++) {
                int row = (channel * paddedHeight + y + window.before().height()) * paddedWidth;
                for (int x = 0; x < width; x++) {
                    padded[row + window.before().width() + x] = input.code(from++) - zeroPoint;
                }
            }
        }
    }

    private void accumulate(int filter, int[] padded, int[] sums) {
        int group = filter / filtersInGroup;
        int weight = filter * channelsInGroup * window.kernel().height() * window.kernel().width();
        for (int channel = 0; channel < channelsInGroup; channel++) {
            int plane = (group * channelsInGroup + channel) * paddedHeight * paddedWidth;
            for (int y = 0; y < window.kernel().height(); y++) {
                for (int x = 0; x < window.kernel().width(); x++) {
                    int place =
                            plane
                                    + y * window.dilation().height() * paddedWidth
                                    + x * window.dilation().width();
                    multiply(weights[weight++], padded, place, sums);
                }
            }
        }
    }

    private void multiply(int weight, int[] padded, int place, int[] sums) {
        int width = result.size(2);
        if (window.stride().equals(Window.Extent.ONE)) {
            int run = (result.size(1) - 1) * paddedWidth + width;
            for (int i = 0; i < run; i++) {
                sums[i] += weight * padded[place + i];
            }
            return;
        }
        int step = window.stride().width();
        for (int y = 0; y < result.size(1); y++) {
            int from = place + y * window.stride().height() * paddedWidth;
            int to = y * paddedWidth;
            for (int x = 0; x < width; x++) {
                sums[to + x] += weight * padded[from + x * step];
            }
        }
    }
}
