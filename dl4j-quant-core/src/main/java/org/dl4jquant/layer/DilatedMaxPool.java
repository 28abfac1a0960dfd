// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.subsampling.SubsamplingLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.integer.WindowSpan;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Max pooling of images with dilation. DL4J's own layer ignores the dilation wherever ND4J pools
 * with oneDNN, with DL4J's helpers and without; the engines have it.
 *
 * <p>A window that sees nothing but padding has the value 0. Of equal elements the first one, row
 * by row, takes the gradient.
 */
final class DilatedMaxPool extends SubsamplingLayer {

    private static final long serialVersionUID = 1L;

    /* Places in the row-major input, one for each result; -1 in padding. */
    private transient int[] winners = new int[0];

    private DilatedMaxPool(NeuralNetConfiguration conf, DataType type) {
        super(conf, type);
    }

    static DilatedMaxPool of(NeuralNetConfiguration conf, int index, DataType type) {
        DilatedMaxPool layer = new DilatedMaxPool(conf, type);
        layer.setIndex(index);
        layer.setConf(conf);
        return layer;
    }

    /**
     * {@return whether the layer is one that this class computes}
     *
     * @param layer a layer's configuration
     */
    static boolean computes(Layer layer) {
        return layer.getClass() == org.deeplearning4j.nn.conf.layers.SubsamplingLayer.class
                && layer instanceof org.deeplearning4j.nn.conf.layers.SubsamplingLayer pool
                && pool.getPoolingType() == PoolingType.MAX
                && isDilated(pool);
    }

    /** {@return whether the dilation makes a difference: in windows of one element it does not} */
    static boolean isDilated(org.deeplearning4j.nn.conf.layers.SubsamplingLayer pool) {
        int[] kernel = pool.getKernelSize();
        int[] dilation = pool.getDilation();
        for (int axis = 0; axis < kernel.length; axis++) {
            if (kernel[axis] > 1 && dilation[axis] > 1) {
                return true;
            }
        }
        return false;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        applyDropOutIfNecessary(training, workspaceMgr);
        INDArray x = channelsFirst(input);
        WindowSpan rows = span(x, 0);
        WindowSpan columns = span(x, 1);
        double[] values = RowMajor.doubles(x);
        int images = Math.toIntExact(x.size(0) * x.size(1));
        int size = rows.size() * columns.size();
        double[] results = new double[images * rows.results() * columns.results()];
        winners = new int[results.length];
        int at = 0;
        for (int image = 0; image < images; image++) {
            for (int y = 0; y < rows.results(); y++) {
                for (int column = 0; column < columns.results(); column++) {
                    int winner = winner(values, image * size, rows, y, columns, column);
                    winners[at] = winner;
                    results[at++] = winner < 0 ? 0 : values[winner];
                }
            }
        }
        INDArray y =
                workspaceMgr.createUninitialized(
                        ArrayType.ACTIVATIONS,
                        input.dataType(),
                        arranged(x.size(0), x.size(1), rows.results(), columns.results()),
                        'c');
        RowMajor.copyInto(results, channelsFirst(y));
        return y;
    }

    private static int winner(
            double[] values, int image, WindowSpan rows, int row, WindowSpan columns, int column) {
        int winner = -1;
        for (int y = rows.first(row); y < rows.end(row); y += rows.dilation()) {
            for (int x = columns.first(column); x < columns.end(column); x += columns.dilation()) {
                int place = image + y * columns.size() + x;
                if (winner < 0 || values[place] > values[winner] || Double.isNaN(values[place])) {
                    winner = place;
                }
            }
        }
        return winner;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(
            INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(true);
        double[] upstream = RowMajor.doubles(channelsFirst(epsilon));
        double[] gradients = new double[Math.toIntExact(input.length())];
        for (int i = 0; i < upstream.length; i++) {
            if (winners[i] >= 0) {
                gradients[winners[i]] += upstream[i];
            }
        }
        INDArray gradient =
                workspaceMgr.createUninitialized(
                        ArrayType.ACTIVATION_GRAD, input.dataType(), input.shape(), 'c');
        RowMajor.copyInto(gradients, channelsFirst(gradient));
        return new Pair<>(new DefaultGradient(), backpropDropOutIfPresent(gradient));
    }

    private boolean lastAreChannels() {
        return layerConf().getCnn2dDataFormat() == CNN2DFormat.NHWC;
    }

    private INDArray channelsFirst(INDArray images) {
        return lastAreChannels() ? images.permute(0, 3, 1, 2) : images;
    }

    private long[] arranged(long examples, long channels, long height, long width) {
        return lastAreChannels()
                ? new long[] {examples, height, width, channels}
                : new long[] {examples, channels, height, width};
    }

    private WindowSpan span(INDArray x, int axis) {
        org.deeplearning4j.nn.conf.layers.SubsamplingLayer pool = layerConf();
        return WindowSpan.of(
                pool.getConvolutionMode(),
                Math.toIntExact(x.size(2 + axis)),
                pool.getKernelSize()[axis],
                pool.getStride()[axis],
                pool.getDilation()[axis],
                pool.getPadding()[axis]);
    }
}
