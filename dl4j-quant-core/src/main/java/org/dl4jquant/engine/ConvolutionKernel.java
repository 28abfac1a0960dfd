// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.Arrays;
import java.util.List;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/*
 * The image is first centred (codes minus the zero point) and padded with zeros, so that the sum
 * needs no border cases. Then, for some places of the window at once, all that the outputs read there
 * is copied to a row for each, and the rows are multiplied and added for some filters. All arrays of
 * that loop are read at its index, so that the virtual machine makes vector code of it: it does not
 * where one of two arrays of the same type begins at an offset that it does not know.
 */
/** A two-dimensional convolution in int32. */
final class ConvolutionKernel implements Kernel {

    /** So many sums of a middle-sized image lie in the first cache; not tuned. */
    private static final int FILTERS_AT_ONCE = 8;

    /**
     * Rows that are added in one loop; with more, the virtual machine gives up making vector code.
     */
    private static final int ROWS = 4;

    private final byte[] weights; // (out, in / groups, kernel height, kernel width)
    private final int[] bias;
    private final Window window;
    private final int channelsInGroup;
    private final int filtersInGroup;
    private final int weightsOfFilter;
    private final Shape image;
    private final Shape result;
    private final int zeroPoint;
    private final int paddedHeight;
    private final int paddedWidth;
    private final Requantization requantization;

    ConvolutionKernel(Convolution node, Shape image, QuantParams input, Shape result) {
        this.weights = node.weights().codes();
        this.bias = node.weights().bias();
        this.window = node.window();
        this.channelsInGroup = node.weights().shape().size(1);
        this.filtersInGroup = node.weights().channels() / node.groups();
        this.weightsOfFilter = node.weights().weightsPerChannel();
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
        int places = result.size(1) * result.size(2);
        int[] accumulators = new int[input.size() * result.elements()];
        int[] padded = new int[image.size(0) * paddedHeight * paddedWidth];
        int[][] rows = new int[ROWS][places];
        int[][] sums = new int[Math.min(FILTERS_AT_ONCE, filtersInGroup)][places];
        int to = 0;
        for (int example = 0; example < input.size(); example++) {
            pad(input, example, padded);
            for (int filter = 0; filter < bias.length; ) {
                int filtersLeft = filtersInGroup - filter % filtersInGroup;
                int filters = Math.min(sums.length, filtersLeft);
                accumulate(filter, filters, padded, rows, sums);
                for (int i = 0; i < filters; i++) {
                    System.arraycopy(sums[i], 0, accumulators, to, places);
                    to += places;
                }
                filter += filters;
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

    /* For filters of one group, which read the same. */
    private void accumulate(int filter, int filters, int[] padded, int[][] rows, int[][] sums) {
        for (int i = 0; i < filters; i++) {
            Arrays.fill(sums[i], bias[filter + i]);
        }
        int firstChannel = filter / filtersInGroup * channelsInGroup;
        for (int weight = 0; weight < weightsOfFilter; weight += ROWS) {
            int count = Math.min(ROWS, weightsOfFilter - weight);
            for (int i = 0; i < count; i++) {
                copy(padded, place(firstChannel, weight + i), rows[i]);
            }
            for (int i = 0; i < filters; i++) {
                multiply((filter + i) * weightsOfFilter + weight, count, rows, sums[i]);
            }
        }
    }

    /* Where in the padded image the first output finds what it multiplies with a weight. */
    private int place(int firstChannel, int weight) {
        int width = window.kernel().width();
        int x = weight % width;
        int y = weight / width % window.kernel().height();
        int channel = firstChannel + weight / width / window.kernel().height();
        return (channel * paddedHeight + y * window.dilation().height()) * paddedWidth
                + x * window.dilation().width();
    }

    /* What each output finds there. */
    private void copy(int[] padded, int place, int[] row) {
        int width = result.size(2);
        int step = window.stride().width();
        for (int y = 0; y < result.size(1); y++) {
            int from = place + y * window.stride().height() * paddedWidth;
            if (step == 1) {
                System.arraycopy(padded, from, row, y * width, width);
                continue;
            }
            for (int x = 0; x < width; x++) {
                row[y * width + x] = padded[from + x * step];
            }
        }
    }

    /* A weight that is not there is 0, whatever its row holds. */
    private void multiply(int first, int count, int[][] rows, int[] sums) {
        int weight0 = weights[first];
        int weight1 = count > 1 ? weights[first + 1] : 0;
        int weight2 = count > 2 ? weights[first + 2] : 0;
        int weight3 = count > 3 ? weights[first + 3] : 0;
        int[] row0 = rows[0];
        int[] row1 = rows[1];
        int[] row2 = rows[2];
        int[] row3 = rows[3];
        for (int i = 0; i < sums.length; i++) {
            sums[i] +=
                    weight0 * row0[i] + weight1 * row1[i] + weight2 * row2[i] + weight3 * row3[i];
        }
    }
}
