// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** Convolutions of codes of which some have 16 bits, in int64. */
final class WideConvolutionKernel implements Kernel {

    private final int[] weights; // (out, in / groups, kernel height, kernel width)
    private final long[] bias;
    private final Window window;
    private final int channelsInGroup;
    private final int filtersInGroup;
    private final Shape image;
    private final Shape result;
    private final int zeroPoint;
    private final Requantization requantization;

    WideConvolutionKernel(Convolution node, Shape image, QuantParams input, Shape result) {
        this.weights = node.weights().allCodes();
        this.bias = node.weights().longBias();
        this.window = node.window();
        this.channelsInGroup = node.weights().shape().size(1);
        this.filtersInGroup = node.weights().channels() / node.groups();
        this.image = image;
        this.result = result;
        this.zeroPoint = input.zeroPoint();
        this.requantization = new Requantization(node.output(), input, node.weights());
    }

    @Override
    public Batch run(List<Batch> inputs) {
        Batch.Codes input = (Batch.Codes) inputs.get(0);
        long[] accumulators = new long[input.size() * result.elements()];
        int places = result.size(1) * result.size(2);
        for (int plane = 0; plane < input.size() * bias.length; plane++) {
            int filter = plane % bias.length;
            int firstChannel =
                    plane / bias.length * image.size(0) + filter / filtersInGroup * channelsInGroup;
            for (int place = 0; place < places; place++) {
                accumulators[plane * places + place] =
                        bias[filter]
                                + sum(
                                        input,
                                        filter,
                                        firstChannel,
                                        place / result.size(2),
                                        place % result.size(2));
            }
        }
        return requantization.apply(input.size(), result, accumulators);
    }

    /* Padding is the code of 0, so that it adds nothing. */
    private long sum(Batch.Codes input, int filter, int firstChannel, int row, int column) {
        int height = window.kernel().height();
        int width = window.kernel().width();
        int top = row * window.stride().height() - window.before().height();
        int left = column * window.stride().width() - window.before().width();
        long sum = 0;
        for (int channel = 0; channel < channelsInGroup; channel++) {
            int plane = (firstChannel + channel) * image.size(1) * image.size(2);
            int weight = (filter * channelsInGroup + channel) * height * width;
            for (int i = 0; i < height * width; i++) {
                int y = top + i / width * window.dilation().height();
                int x = left + i % width * window.dilation().width();
                if (y >= 0 && y < image.size(1) && x >= 0 && x < image.size(2)) {
                    int code = input.code(plane + y * image.size(2) + x) - zeroPoint;
                    sum += (long) weights[weight + i] * code;
                }
            }
        }
        return sum;
    }
}
