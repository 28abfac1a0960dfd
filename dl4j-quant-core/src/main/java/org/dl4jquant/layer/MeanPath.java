// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Inference of an average pool over images: what it returns are the values of exactly the codes
 * that an engine computes, {@link CodeMean}.
 *
 * @param layer the layer's configuration
 */
record MeanPath(Layer layer) {

    private static final int IMAGES_RANK = 4;

    /**
     * {@return whether the layer averages images in a way that the integer graph has}
     *
     * @param x the layer's input
     */
    boolean supports(INDArray x) {
        return x.rank() == IMAGES_RANK
                && x.dataType() == DataType.FLOAT
                && (averagesWindows() || averagesImages());
    }

    private boolean averagesWindows() {
        boolean windows =
                layer.getClass() == SubsamplingLayer.class || layer.getClass() == Pooling2D.class;
        return windows
                && layer instanceof SubsamplingLayer pool
                && pool.getPoolingType() == PoolingType.AVG
                && pool.getCnn2dDataFormat() == CNN2DFormat.NCHW
                && pool.getConvolutionMode() != ConvolutionMode.Causal
                && !DilatedMaxPool.isDilated(pool)
                && pool.getPadding()[0] < pool.getKernelSize()[0]
                && pool.getPadding()[1] < pool.getKernelSize()[1];
    }

    private boolean averagesImages() {
        return layer.getClass() == GlobalPoolingLayer.class
                && layer instanceof GlobalPoolingLayer pool
                && pool.getPoolingType() == PoolingType.AVG
                && (pool.getPoolingDimensions() == null
                        || Arrays.equals(pool.getPoolingDimensions(), new int[] {2, 3}));
    }

    /**
     * Overwrites what the layer computed in float. Scales so far apart that the engines refuse them
     * have no integer form: that result is rounded in float.
     *
     * @param x the layer's input, [examples, channels, height, width], in values
     * @param input how its codes stand for values
     * @param output how the result's codes stand for values
     * @param y the layer's result in any shape; takes the values of its codes
     * @return whether {@code y} has been overwritten
     */
    boolean average(INDArray x, QuantParams input, QuantParams output, INDArray y) {
        Windows windows = windows(x, y);
        int size = Math.toIntExact(x.size(2) * x.size(3));
        boolean possible =
                windows == null
                        ? CodeMean.canAverageImage(input, output, size)
                        : CodeMean.canAverageWindows(input, output);
        if (!possible) {
            return false;
        }
        float[] values = RowMajor.floats(x);
        float[] means = new float[Math.toIntExact(y.length())];
        if (windows == null) {
            averageImages(values, size, input, output, means);
        } else {
            averageWindows(values, input, output, windows, means);
        }
        RowMajor.copyInto(means, y);
        return true;
    }

    /* One window that covers its whole image counts as an image, as in the engines. */
    private @Nullable Windows windows(INDArray x, INDArray y) {
        if (!(layer instanceof SubsamplingLayer pool)) {
            return null;
        }
        Span rows = Span.of(pool, 0, (int) x.size(2), (int) y.size(2));
        Span columns = Span.of(pool, 1, (int) x.size(3), (int) y.size(3));
        return rows.coversAll() && columns.coversAll() ? null : new Windows(pool, rows, columns);
    }

    private static void averageImages(
            float[] values, int size, QuantParams input, QuantParams output, float[] means) {
        float multiplier = CodeMean.multiplier(input, output, size);
        for (int image = 0; image < means.length; image++) {
            int sum = 0;
            boolean numbers = true;
            for (int i = image * size; i < (image + 1) * size; i++) {
                numbers &= !Float.isNaN(values[i]);
                sum += input.quantize(values[i]) - input.zeroPoint();
            }
            means[image] =
                    numbers
                            ? output.dequantize(CodeMean.ofImage(sum, multiplier, output))
                            : Float.NaN;
        }
    }

    private static void averageWindows(
            float[] values, QuantParams input, QuantParams output, Windows windows, float[] means) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isNaN(values[i])) {
                values[i] = input.dequantize(input.quantize(values[i]));
            }
        }
        int size = windows.rows.size * windows.columns.size;
        int at = 0;
        for (int image = 0; at < means.length; image += size) {
            for (int y = 0; y < windows.rows.results; y++) {
                for (int x = 0; x < windows.columns.results; x++) {
                    float sum = windows.sum(values, image, y, x);
                    int code = CodeMean.ofWindow(sum, windows.count(y, x), output);
                    means[at++] = Float.isNaN(sum) ? sum : output.dequantize(code);
                }
            }
        }
    }

    /**
     * The windows of an image.
     *
     * @param pool the layer
     * @param rows where they begin and end vertically
     * @param columns the same horizontally
     */
    private record Windows(SubsamplingLayer pool, Span rows, Span columns) {

        /* In float32 and row by row, as the engines do it. */
        float sum(float[] values, int image, int y, int x) {
            float sum = 0;
            for (int row = rows.first(y); row < rows.end(y); row++) {
                int line = image + row * columns.size;
                for (int i = line + columns.first(x); i < line + columns.end(x); i++) {
                    sum += values[i];
                }
            }
            return sum;
        }

        int count(int y, int x) {
            return pool.isAvgPoolIncludePadInDivisor()
                    ? rows.kernel * columns.kernel
                    : (rows.end(y) - rows.first(y)) * (columns.end(x) - columns.first(x));
        }
    }

    /**
     * One dimension of the windows.
     *
     * @param size how long the image is
     * @param kernel how long a window is
     * @param stride the step from window to window
     * @param before the padding in front of the image; below 0, what is skipped there
     * @param behind the padding after it
     * @param results how many windows there are
     */
    private record Span(int size, int kernel, int stride, int before, int behind, int results) {

        static Span of(SubsamplingLayer pool, int axis, int size, int results) {
            int kernel = pool.getKernelSize()[axis];
            int stride = pool.getStride()[axis];
            if (pool.getConvolutionMode() != ConvolutionMode.Same) {
                int padding = pool.getPadding()[axis];
                return new Span(size, kernel, stride, padding, padding, results);
            }
            // Below 0, where strides are longer than windows: DL4J centres these, too.
            int padding = (results - 1) * stride + kernel - size;
            return new Span(size, kernel, stride, padding / 2, padding - padding / 2, results);
        }

        boolean coversAll() {
            return kernel == size && before == 0 && behind == 0;
        }

        int first(int window) {
            return Math.max(window * stride - before, 0);
        }

        int end(int window) {
            return Math.min(window * stride - before + kernel, size);
        }
    }
}
