// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Gradients of weights and scales against plain loops: each layer is linear in each of its weights,
 * so its derivative with respect to one is what the layer makes of a unit there.
 */
class GradientOracleTest {

    /* Sums of up to 200 float32 products of magnitude 1. */
    private static final double TOLERANCE = 2e-4;

    private static final int BITS = 3;
    private static final int MAX_CODE = 3;

    /** A layer's result as loops over its weights; all arrays row-major. */
    private interface Loops {
        double[] result(float[] x, Map<String, float[]> weights);
    }

    @Test
    void depthwiseWeightsAndScales() {
        DepthwiseConvolution2D conf =
                new DepthwiseConvolution2D.Builder(2, 3)
                        .nIn(2)
                        .nOut(4)
                        .depthMultiplier(2)
                        .hasBias(false)
                        .build();
        // W is [2, 3, 2, 2]: kernel height, kernel width, in, multiplier
        requireGradients(
                conf,
                new long[] {1, 2, 4, 5},
                (x, w) ->
                        depthwise(
                                x,
                                i -> w.get("W")[i],
                                (ky, kx, c, m) -> ((ky * 3 + kx) * 2 + c) * 2 + m),
                index -> index % 4);
    }

    private interface Place {
        int of(int ky, int kx, int channel, int multiple);
    }

    private static double[] depthwise(float[] x, Function<Integer, Float> weight, Place place) {
        double[] out = new double[4 * 3 * 3];
        for (int o = 0; o < 4; o++) {
            for (int y = 0; y < 3; y++) {
                for (int col = 0; col < 3; col++) {
                    double sum = 0;
                    for (int ky = 0; ky < 2; ky++) {
                        for (int kx = 0; kx < 3; kx++) {
                            double pixel = x[(o / 2 * 4 + y + ky) * 5 + col + kx];
                            sum += pixel * weight.apply(place.of(ky, kx, o / 2, o % 2));
                        }
                    }
                    out[(o * 3 + y) * 3 + col] = sum;
                }
            }
        }
        return out;
    }

    @Test
    void separableWeightsAndScales() {
        SeparableConvolution2D conf =
                new SeparableConvolution2D.Builder(2, 3)
                        .nIn(2)
                        .nOut(3)
                        .depthMultiplier(2)
                        .hasBias(false)
                        .build();
        // W is [2, 2, 2, 3]: multiplier, in, kernel; pW is [3, 4, 1, 1]
        requireGradients(
                conf,
                new long[] {1, 2, 4, 5},
                (x, w) -> {
                    double[] middle =
                            depthwise(
                                    x,
                                    i -> w.get("W")[i],
                                    (ky, kx, c, m) -> ((m * 2 + c) * 2 + ky) * 3 + kx);
                    double[] out = new double[3 * 9];
                    for (int o = 0; o < 3; o++) {
                        for (int c = 0; c < 4; c++) {
                            for (int p = 0; p < 9; p++) {
                                out[o * 9 + p] += middle[c * 9 + p] * w.get("pW")[o * 4 + c];
                            }
                        }
                    }
                    return out;
                },
                null);
    }

    @Test
    void convolution1dWeightsAndScales() {
        Convolution1DLayer conf =
                new Convolution1DLayer.Builder(3)
                        .nIn(2)
                        .nOut(3)
                        .hasBias(false)
                        .rnnDataFormat(RNNFormat.NCW)
                        .build();
        requireGradients(
                conf,
                new long[] {1, 2, 6},
                (x, w) -> {
                    double[] out = new double[3 * 4];
                    for (int o = 0; o < 3; o++) {
                        for (int t = 0; t < 4; t++) {
                            for (int c = 0; c < 2; c++) {
                                for (int k = 0; k < 3; k++) {
                                    out[o * 4 + t] +=
                                            x[c * 6 + t + k] * w.get("W")[(k * 2 + c) * 3 + o];
                                }
                            }
                        }
                    }
                    return out;
                },
                index -> index % 3);
    }

    @Test
    void preluSlopesAndScale() {
        PReLULayer conf = new PReLULayer.Builder().inputShape(3, 2, 2).nIn(3).nOut(3).build();
        requireGradients(
                conf,
                new long[] {2, 3, 2, 2},
                (x, w) -> {
                    double[] out = new double[x.length];
                    for (int i = 0; i < x.length; i++) {
                        out[i] = x[i] >= 0 ? x[i] : x[i] * w.get("W")[i % 12];
                    }
                    return out;
                },
                index -> 0);
    }

    private static void requireGradients(
            BaseLayer underlying,
            long[] inputShape,
            Loops loops,
            Function<Integer, Integer> channel) {
        underlying.setActivationFn(new ActivationIdentity());
        underlying.setIUpdater(new Sgd(1e-3));
        if (underlying instanceof ConvolutionLayer convolution) {
            convolution.setConvolutionMode(ConvolutionMode.Truncate);
            convolution.setCnn2dDataFormat(CNN2DFormat.NCHW);
        }
        underlying.setLayerName("tested");
        QuantizedLayer conf =
                new QuantizedLayer(
                        underlying,
                        null,
                        null,
                        LayerQuantizers.of(TensorScheme.weights(BITS), null));
        Layer layer = running(conf);
        INDArray x = Networks.normal(21, inputShape);
        INDArray y = layer.activate(x, true, LayerWorkspaceMgr.noWorkspaces());
        INDArray upstream = Networks.normal(22, y.shape());
        float[] upstreamValues = RowMajor.floats(upstream);
        INDArray gradients = layer.getGradientsViewArray();
        layer.backpropGradient(upstream.dup(), LayerWorkspaceMgr.noWorkspaces());
        Map<String, INDArray> found =
                conf.initializer().getGradientsFromFlattened(layer.conf(), gradients);
        Map<String, float[]> rounded = new java.util.TreeMap<>();
        List<WeightSlot> slots = conf.weightSlots();
        for (WeightSlot slot : slots) {
            rounded.put(slot.key(), rounded(layer, slot, channel));
        }
        double[] expectedResult = loops.result(RowMajor.floats(x), rounded);
        float[] result = RowMajor.floats(y);
        for (int i = 0; i < result.length; i++) {
            assertEquals(expectedResult[i], result[i], TOLERANCE, "result " + i);
        }
        boolean clipped = false;
        for (WeightSlot slot : slots) {
            clipped |=
                    requireGradient(
                            layer, slot, found, loops, RowMajor.floats(x), rounded, upstreamValues);
        }
        assertTrue(clipped, "some weights are clipped, or the test would not see the mask");
    }

    /** Each scale is half of what keeps the largest weight, so that some are clipped. */
    private static Layer running(QuantizedLayer conf) {
        NeuralNetConfiguration outer = new NeuralNetConfiguration();
        outer.setLayer(conf);
        long length = conf.initializer().numParams(outer);
        INDArray parameters = Nd4j.zeros(DataType.FLOAT, length);
        Layer layer = conf.instantiate(outer, null, 0, parameters, false, DataType.FLOAT);
        int seed = 30;
        for (WeightSlot slot : conf.weightSlots()) {
            INDArray weight = layer.getParam(slot.key());
            weight.assign(Networks.normal(seed, weight.shape()).castTo(DataType.FLOAT));
            INDArray scales = layer.getParam(slot.scaleKey());
            for (int i = 0; i < scales.length(); i++) {
                scales.putScalar(i, 0.25 + 0.05 * i);
            }
            seed++;
        }
        layer.setBackpropGradientsViewArray(Nd4j.zeros(DataType.FLOAT, length));
        return layer;
    }

    /** The channel of each weight, row-major, by the layouts written down in this test. */
    private static int channelOf(WeightSlot slot, int index, long[] shape) {
        if (slot.scales() == 1) {
            return 0;
        }
        return switch (slot.channels().axes().toString()) {
            case "[2]" -> index % (int) shape[0];
            case "[0]" -> index / (int) (shape[1] * shape[2] * (shape.length > 3 ? shape[3] : 1));
            case "[2, 3]" -> index % (int) (shape[2] * shape[3]);
            case "[1, 0]" -> {
                int perPair = (int) (shape[2] * shape[3]);
                int pair = index / perPair;
                yield pair % (int) shape[1] * (int) shape[0] + pair / (int) shape[1];
            }
            default -> throw new AssertionError(slot.channels().toString());
        };
    }

    private static float[] rounded(
            Layer layer, WeightSlot slot, Function<Integer, Integer> channel) {
        INDArray weight = layer.getParam(slot.key());
        float[] values = RowMajor.floats(weight);
        float[] scales = RowMajor.floats(layer.getParam(slot.scaleKey()));
        for (int i = 0; i < values.length; i++) {
            int place = channelOf(slot, i, weight.shape());
            if (channel != null && scales.length > 1) {
                assertEquals(channel.apply(i), place);
            }
            double code = Math.rint(values[i] / scales[place]);
            values[i] = (float) Math.max(-MAX_CODE, Math.min(MAX_CODE, code)) * scales[place];
        }
        return values;
    }

    private static boolean requireGradient(
            Layer layer,
            WeightSlot slot,
            Map<String, INDArray> found,
            Loops loops,
            float[] x,
            Map<String, float[]> rounded,
            float[] upstream) {
        INDArray weight = layer.getParam(slot.key());
        float[] masters = RowMajor.floats(weight);
        float[] scales = RowMajor.floats(layer.getParam(slot.scaleKey()));
        float[] gradient = RowMajor.floats(found.get(slot.key()));
        double[] byScale = new double[scales.length];
        boolean clipped = false;
        for (int i = 0; i < masters.length; i++) {
            double byRounded = derivative(loops, x, rounded, slot.key(), i, upstream);
            int channel = channelOf(slot, i, weight.shape());
            double v = masters[i] / scales[channel];
            boolean inside = Math.abs(v) < MAX_CODE;
            clipped |= !inside;
            assertEquals(inside ? byRounded : 0, gradient[i], TOLERANCE, slot.key() + " " + i);
            byScale[channel] += byRounded * (inside ? Math.rint(v) - v : Math.signum(v) * MAX_CODE);
        }
        double factor = 1 / Math.sqrt((double) masters.length / scales.length * MAX_CODE);
        float[] scaleGradient = RowMajor.floats(found.get(slot.scaleKey()));
        for (int channel = 0; channel < scales.length; channel++) {
            assertEquals(
                    byScale[channel] * factor,
                    scaleGradient[channel],
                    TOLERANCE,
                    slot.scaleKey() + " " + channel);
        }
        return clipped;
    }

    /** Linear in this weight: the result with 1 there less the result with 0 there. */
    private static double derivative(
            Loops loops,
            float[] x,
            Map<String, float[]> weights,
            String key,
            int index,
            float[] upstream) {
        float[] changed = weights.get(key);
        float kept = changed[index];
        changed[index] = 1;
        double[] with = loops.result(x, weights);
        changed[index] = 0;
        double[] without = loops.result(x, weights);
        changed[index] = kept;
        double sum = 0;
        for (int i = 0; i < with.length; i++) {
            sum += (with[i] - without[i]) * upstream[i];
        }
        return sum;
    }
}
