// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The gradient of a pool that computes p-norms, {@code y = (sum |x|^p)^(1/p)}: {@code dy/dx =
 * sign(x) (|x| / y)^(p - 1)}, and 0 for each element of a pool that holds zeros only.
 */
final class PNormGradient {

    /* There DL4J divides 0 by 0. In float that is rare, because few pools hold nothing but zeros;
     * rounding makes zeros of all small values, and ReLU of all negative ones. The quotient |x| / y
     * is formed first, since powers of x overflow and underflow. */

    private static final int[] HEIGHT_WIDTH = {2, 3};

    private PNormGradient() {}

    /**
     * {@return whether a layer computes p-norms}
     *
     * @param layer a layer's configuration
     */
    static boolean isOf(Layer layer) {
        return (layer instanceof SubsamplingLayer pool
                        && pool.getPoolingType() == PoolingType.PNORM)
                || (layer instanceof GlobalPoolingLayer global
                        && global.getPoolingType() == PoolingType.PNORM);
    }

    /**
     * {@return loss per unit of the layer's input, shaped like that}
     *
     * @param layer the configuration of a layer that computes p-norms
     * @param x its input
     * @param mask a mask of the input; null without one
     * @param upstream loss per unit of the result
     */
    static INDArray of(Layer layer, INDArray x, @Nullable INDArray mask, INDArray upstream) {
        return layer instanceof GlobalPoolingLayer global
                ? ofWhole(global, x, mask, upstream)
                : ofWindows((SubsamplingLayer) layer, x, upstream);
    }

    // ---- pools over all of an example's places ------------------------------------------------

    private static INDArray ofWhole(
            GlobalPoolingLayer pool, INDArray x, @Nullable INDArray mask, INDArray upstream) {
        int[] dimensions = dimensions(pool, x);
        INDArray seen = mask == null ? x : x.mul(spread(mask, x, dimensions));
        INDArray size = Transforms.abs(seen, true);
        INDArray largest = Transforms.max(size.max(true, dimensions), Float.MIN_NORMAL);
        size = size.div(largest);
        INDArray norm =
                Transforms.pow(
                        Transforms.pow(size, pool.getPnorm()).sum(true, dimensions),
                        1.0 / pool.getPnorm());
        // At least 1, but for zeros only, whose quotient is 0 in any case.
        INDArray slope = Transforms.pow(size.div(Transforms.max(norm, 1)), pool.getPnorm() - 1);
        return slope.muli(Transforms.sign(seen, true))
                .mul(upstream.dup('c').reshape('c', norm.shape()));
    }

    private static int[] dimensions(GlobalPoolingLayer pool, INDArray x) {
        int[] chosen = pool.getPoolingDimensions();
        if (chosen != null) {
            return chosen;
        }
        int[] all = new int[x.rank() - 2];
        for (int i = 0; i < all.length; i++) {
            all[i] = i + 2;
        }
        return all;
    }

    /* A mask of a sequence is [examples, steps]; one of images has the images' rank. */
    private static INDArray spread(INDArray mask, INDArray x, int[] dimensions) {
        if (mask.rank() == x.rank()) {
            return mask;
        }
        long[] shape = new long[x.rank()];
        Arrays.fill(shape, 1);
        shape[0] = x.size(0);
        shape[dimensions[0]] = x.size(dimensions[0]);
        return mask.dup('c').reshape('c', shape);
    }

    // ---- pools over windows --------------------------------------------------------------------

    private static INDArray ofWindows(SubsamplingLayer pool, INDArray x, INDArray upstream) {
        boolean channelsLast = pool.getCnn2dDataFormat() == CNN2DFormat.NHWC;
        INDArray images = channelsFirst(x, channelsLast);
        INDArray above = channelsFirst(upstream, channelsLast);
        double[] values = RowMajor.doubles(images);
        Windows rows = Windows.of(pool, 0, images, above);
        Windows columns = Windows.of(pool, 1, images, above);
        double[] gradients =
                new Images(values, pool.getPnorm(), rows, columns)
                        .gradients(RowMajor.doubles(above));
        INDArray result = Nd4j.createUninitialized(x.dataType(), images.shape(), 'c');
        RowMajor.copyInto(gradients, result);
        INDArray back = channelsLast ? result.permute(0, 2, 3, 1) : result;
        return back.dup('c').reshape('c', x.shape());
    }

    /* Sequences are images of one column: [examples, channels, steps, 1]. */
    private static INDArray channelsFirst(INDArray array, boolean channelsLast) {
        INDArray images = array;
        if (array.rank() == HEIGHT_WIDTH[1]) {
            images =
                    channelsLast
                            ? array.dup('c')
                                    .reshape('c', array.size(0), array.size(1), 1, array.size(2))
                            : array.dup('c')
                                    .reshape('c', array.size(0), array.size(1), array.size(2), 1);
        }
        return channelsLast ? images.permute(0, 3, 1, 2) : images;
    }

    /**
     * One dimension of the windows.
     *
     * @param size how long the image is
     * @param kernel how many elements a window has
     * @param stride the step from window to window
     * @param dilation the step from element to element
     * @param before the padding before the image
     * @param results how many windows there are
     */
    private record Windows(
            int size, int kernel, int stride, int dilation, int before, int results) {

        static Windows of(SubsamplingLayer pool, int axis, INDArray images, INDArray above) {
            int size = (int) images.size(HEIGHT_WIDTH[axis]);
            int results = (int) above.size(HEIGHT_WIDTH[axis]);
            int kernel = pool.getKernelSize()[axis];
            int stride = pool.getStride()[axis];
            int dilation = pool.getDilation()[axis];
            int reach = (kernel - 1) * dilation;
            int before =
                    pool.getConvolutionMode() == ConvolutionMode.Same
                            ? Math.max(0, (results - 1) * stride + reach + 1 - size) / 2
                            : pool.getPadding()[axis];
            boolean causal = pool.getConvolutionMode() == ConvolutionMode.Causal;
            return new Windows(size, kernel, stride, dilation, causal ? reach : before, results);
        }

        /** The place of an element in the image; outside of it in the padding. */
        int place(int window, int element) {
            return window * stride - before + element * dilation;
        }

        boolean contains(int place) {
            return place >= 0 && place < size;
        }
    }

    /** The windows of images. */
    private static final class Images {

        private final double[] values;
        private final double[] gradients;
        private final int p;
        private final Windows rows;
        private final Windows columns;

        Images(double[] values, int p, Windows rows, Windows columns) {
            this.values = values;
            this.gradients = new double[values.length];
            this.p = p;
            this.rows = rows;
            this.columns = columns;
        }

        private interface Visitor {
            void visit(int index);
        }

        double[] gradients(double[] upstream) {
            int at = 0;
            for (int image = 0; image < values.length; image += rows.size * columns.size) {
                for (int y = 0; y < rows.results; y++) {
                    for (int x = 0; x < columns.results; x++) {
                        addWindow(image, y, x, upstream[at++]);
                    }
                }
            }
            return gradients;
        }

        private void forEach(int image, int y, int x, Visitor visitor) {
            for (int i = 0; i < rows.kernel; i++) {
                int row = rows.place(y, i);
                for (int j = 0; rows.contains(row) && j < columns.kernel; j++) {
                    int column = columns.place(x, j);
                    if (columns.contains(column)) {
                        visitor.visit(image + row * columns.size + column);
                    }
                }
            }
        }

        private void addWindow(int image, int y, int x, double upstream) {
            double[] sum = new double[1];
            forEach(image, y, x, i -> sum[0] += Math.pow(Math.abs(values[i]), p));
            double norm = Math.pow(sum[0], 1.0 / p);
            if (norm > 0) {
                forEach(
                        image,
                        y,
                        x,
                        i ->
                                gradients[i] +=
                                        upstream
                                                * Math.signum(values[i])
                                                * Math.pow(Math.abs(values[i]) / norm, p - 1));
            }
        }
    }
}
