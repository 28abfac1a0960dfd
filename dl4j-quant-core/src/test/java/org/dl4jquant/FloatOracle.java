// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.LayerIntegers;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationRReLU;
import org.nd4j.linalg.api.iter.NdIndexIterator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Compares each layer of a prepared network with DL4J's own float layers on rounded parameters. */
final class FloatOracle {

    /**
     * What float32 sums of a few dozen terms and DL4J's approximations of functions may be off, in
     * parts of the largest value of the layer.
     */
    private static final double FLOAT_BOUND = 2e-5;

    /**
     * Signal to noise of layers that round inside, with 8 bits and nothing clipped; the worst of 33
     * had 35.5.
     */
    private static final double INNER_DECIBELS = 30;

    /** How many values lie so near a tie that float32 sums decide, of a few hundred. */
    private static final double MOST_NEAR_TIES = 0.01;

    private final MultiLayerNetwork original;
    private final MultiLayerNetwork prepared;
    private final MultiLayerNetwork oracle;
    private final MultiLayerNetwork rounded;
    private final boolean exactRange;

    /**
     * Takes what is compared.
     *
     * @param original the float network
     * @param prepared the same, prepared
     * @param exactRange whether all values have 8 bits and lie in the range that calibration saw
     */
    FloatOracle(MultiLayerNetwork original, MultiLayerNetwork prepared, boolean exactRange) {
        this.exactRange = exactRange;
        this.original = original;
        this.prepared = prepared;
        this.oracle = original.clone();
        this.rounded = prepared.clone();
    }

    /** Compares all layers on one batch. */
    void check(INDArray features, String network) {
        // A pass of training rounds the weights and biases of all layers that compute in float.
        rounded.feedForward(features.dup(), true);
        List<INDArray> results = feedForward(features);
        int first = 0;
        for (int i = 0; i < prepared.getnLayers(); i++) {
            int end = i + 1 == prepared.getnLayers() ? original.getnLayers() : index(i + 1);
            new Group(i, first, end, network).check(results.get(i), results.get(i + 1));
            first = end;
        }
    }

    /* One layer after the other: DL4J's activation layer writes its result over its input. */
    private List<INDArray> feedForward(INDArray features) {
        List<INDArray> results = new ArrayList<>();
        results.add(features);
        for (int i = 0; i < prepared.getnLayers(); i++) {
            results.add(prepared.feedForwardToLayer(i, features.dup(), false).get(i + 1).dup('c'));
        }
        return results;
    }

    private int index(int preparedLayer) {
        return original.getLayerNames().indexOf(prepared.getLayerNames().get(preparedLayer));
    }

    /** Float layers that became one. */
    private final class Group {

        private final Layer layer;
        private final int index;
        private final int first;
        private final int end;
        private final String network;
        private final LayerQuantizers quantizers;

        Group(int index, int first, int end, String network) {
            this.layer = prepared.getLayer(index);
            this.index = index;
            this.first = first;
            this.end = end;
            this.network = "layer " + prepared.getLayerNames().get(index) + " of " + network;
            this.quantizers =
                    QuantizedLayers.configuration(layer)
                            .map(QuantizedLayer::quantizers)
                            .orElse(LayerQuantizers.NONE);
        }

        void check(INDArray input, INDArray found) {
            IActivation function = null;
            if (quantizers.scheme(TensorRole.PRE_ACTIVATION) != null) {
                function = takeFunction();
            }
            copyParameters();
            boolean sameInTraining = !isNormalized() && !isRandom();
            if (quantizers.weights() != null && quantizers.output() != null && sameInTraining) {
                requireTrainingIsNear(input, found);
            }
            INDArray x = forward(input);
            double bound = FLOAT_BOUND * largest(input, x) + biasBound();
            float[] expected = RowMajor.floats(x);
            float[] values = RowMajor.floats(found);
            assertTrue(expected.length == values.length, () -> "shape of " + network);
            if (quantizers.scheme(TensorRole.HIDDEN) != null
                    || quantizers.scheme(TensorRole.PROBABILITY) != null
                    || quantizers.scheme(TensorRole.DEPTHWISE) != null
                    || quantizers.scheme(TensorRole.NORMALIZED) != null) {
                if (exactRange) {
                    INDArray near = function == null ? x : function.getActivation(x.dup(), false);
                    requireNear(RowMajor.floats(near), values);
                }
            } else if (quantizers.output() == null) {
                requireEqual(expected, values, bound);
            } else if (function == null) {
                requireRounded(expected, values, bound);
            } else {
                requireLookedUp(function, expected, values, bound);
            }
        }

        /* Large terms of a sum may cancel, but what is off in them stays. */
        private double largest(INDArray input, INDArray result) {
            INDArray weights = oracle.getLayer(first).paramTable().get("W");
            double terms =
                    weights == null
                            ? 0
                            : weights.amaxNumber().doubleValue() * input.amaxNumber().doubleValue();
            return Math.max(terms, result.amaxNumber().doubleValue());
        }

        /** The function that follows codes: DL4J's own, taken out of the float layers. */
        private IActivation takeFunction() {
            org.deeplearning4j.nn.conf.layers.Layer last =
                    oracle.getLayer(end - 1).conf().getLayer();
            if (last instanceof ActivationLayer only) {
                IActivation function = only.getActivationFn();
                only.setActivationFn(new ActivationIdentity());
                return function;
            }
            LayerKind kind = LayerKinds.of(last);
            IActivation function = kind.lastFunction();
            kind.setLastFunction(new ActivationIdentity());
            return function;
        }

        private void copyParameters() {
            if (!(rounded.getLayer(index) instanceof BaseWrapperLayer wrapper)
                    || quantizers.equals(LayerQuantizers.NONE)) {
                return;
            }
            boolean normalized =
                    QuantizedLayers.configuration(layer)
                            .map(conf -> conf.batchNormalization() != null)
                            .orElse(false);
            Map<String, INDArray> own = new HashMap<>(wrapper.getUnderlying().paramTable());
            Layer target = oracle.getLayer(first);
            own.forEach(
                    (key, value) -> {
                        // Folded, the bias is rounded once, after the normalization.
                        boolean folded = normalized && key.equals("b");
                        INDArray from = folded ? layer.getParam(key) : value;
                        INDArray to = target.getParam(key);
                        to.assign(from.reshape(to.ordering(), to.shape()));
                    });
        }

        /* A bias folded with a normalization is rounded as a whole. */
        private double biasBound() {
            if (QuantizedLayers.configuration(layer)
                            .map(QuantizedLayer::batchNormalization)
                            .isEmpty()
                    || quantizers.weights() == null) {
                return 0;
            }
            double widest = 0;
            for (LayerIntegers integers : LayerIntegers.of(layer).stream().toList()) {
                for (float scale : integers.weights().scales()) {
                    widest = Math.max(widest, scale);
                }
                widest *= integers.input().scale() / 2;
            }
            return widest;
        }

        private INDArray forward(INDArray input) {
            INDArray x = input;
            for (int i = first; i < end; i++) {
                InputPreProcessor before =
                        oracle.getLayerWiseConfigurations().getInputPreProcess(i);
                if (before != null) {
                    x =
                            before.preProcess(
                                    x.dup(), (int) x.size(0), LayerWorkspaceMgr.noWorkspaces());
                }
                if (i == first && quantizers.input() != null) {
                    x = roundedInput(x);
                }
                x = activate(oracle.getLayer(i), x);
            }
            return x;
        }

        private INDArray roundedInput(INDArray x) {
            QuantParams params = params(quantizers.input(), TensorRole.INPUT.scaleKey());
            float[] values = RowMajor.floats(x);
            for (int i = 0; i < values.length; i++) {
                values[i] = params.dequantize(params.quantize(values[i]));
            }
            return RowMajor.array(values, x.shape());
        }

        private QuantParams params(ActivationScheme scheme, String scale) {
            String zero = scale.replace(TensorRole.SCALE, TensorRole.ZERO);
            INDArray zeroPoint = layer.paramTable().get(zero);
            return new QuantParams(
                    layer.getParam(scale).getFloat(0),
                    zeroPoint == null ? 0 : Math.round(zeroPoint.getFloat(0)),
                    scheme.range());
        }

        private boolean isNormalized() {
            return QuantizedLayers.configuration(layer)
                    .map(conf -> conf.batchNormalization() != null)
                    .orElse(false);
        }

        /** RReLU draws its slopes in training. */
        private boolean isRandom() {
            for (int i = first; i < end; i++) {
                org.deeplearning4j.nn.conf.layers.Layer conf =
                        original.getLayer(i).conf().getLayer();
                IActivation function =
                        conf instanceof ActivationLayer only
                                ? only.getActivationFn()
                                : conf instanceof BaseLayer base ? base.getActivationFn() : null;
                if (function instanceof ActivationRReLU) {
                    return true;
                }
            }
            return false;
        }

        /* Training adds in float32, so that a value near a tie may be one code off. */
        private void requireTrainingIsNear(INDArray input, INDArray found) {
            InputPreProcessor before =
                    prepared.getLayerWiseConfigurations().getInputPreProcess(index);
            LayerWorkspaceMgr mgr = LayerWorkspaceMgr.noWorkspaces();
            INDArray x =
                    before == null
                            ? input.dup()
                            : before.preProcess(input.dup(), (int) input.size(0), mgr);
            float[] trained = RowMajor.floats(rounded.getLayer(index).activate(x, true, mgr));
            float[] values = RowMajor.floats(found);
            float code = layer.getParam(TensorRole.OUTPUT.scaleKey()).getFloat(0);
            int off = 0;
            for (int i = 0; i < values.length; i++) {
                off += Math.abs(trained[i] - values[i]) < 0.5 * code ? 0 : 1;
            }
            int differing = off;
            assertTrue(
                    off <= MOST_NEAR_TIES * values.length + 1,
                    () -> differing + " codes are others in training, in " + network);
        }

        private void requireEqual(float[] expected, float[] values, double bound) {
            for (int i = 0; i < values.length; i++) {
                int at = i;
                assertTrue(
                        Math.abs(expected[i] - values[i]) <= bound,
                        () ->
                                expected[at]
                                        + " became "
                                        + values[at]
                                        + " with bound "
                                        + bound
                                        + " in "
                                        + network);
            }
        }

        private void requireNear(float[] expected, float[] values) {
            double signal = 0;
            double noise = 1e-12;
            for (int i = 0; i < values.length; i++) {
                signal += expected[i] * expected[i];
                noise += (expected[i] - values[i]) * (expected[i] - values[i]);
            }
            double decibels = 10 * Math.log10(Math.max(1e-9, signal) / noise);
            assertTrue(
                    decibels >= INNER_DECIBELS || signal < 1e-6,
                    () -> decibels + " dB in " + network);
        }

        private void requireRounded(float[] expected, float[] values, double bound) {
            QuantParams output = params(quantizers.output(), TensorRole.OUTPUT.scaleKey());
            for (int i = 0; i < values.length; i++) {
                requireCode(output, expected[i], values[i], bound);
            }
        }

        private void requireCode(QuantParams output, double expected, float value, double bound) {
            int code = output.quantize(value);
            assertTrue(
                    output.dequantize(code) == value,
                    () -> value + " is no value of a code, in " + network);
            assertTrue(
                    code >= output.quantize((float) (expected - bound))
                            && code <= output.quantize((float) (expected + bound)),
                    () -> expected + " became " + value + " at " + output + " in " + network);
        }

        private void requireLookedUp(
                IActivation function, float[] expected, float[] values, double bound) {
            QuantParams before =
                    params(
                            quantizers.scheme(TensorRole.PRE_ACTIVATION),
                            TensorRole.PRE_ACTIVATION.scaleKey());
            QuantParams output = params(quantizers.output(), TensorRole.OUTPUT.scaleKey());
            for (int i = 0; i < values.length; i++) {
                int low = before.quantize((float) (expected[i] - bound));
                int high = before.quantize((float) (expected[i] + bound));
                List<Float> allowed = new ArrayList<>();
                boolean right = false;
                for (int code = low; code <= high; code++) {
                    float y =
                            function.getActivation(
                                            Nd4j.scalar(before.dequantize(code)).reshape(1, 1),
                                            false)
                                    .getFloat(0);
                    double off = FLOAT_BOUND * Math.max(1, Math.abs(y));
                    int found = output.quantize(values[i]);
                    right |=
                            found >= output.quantize((float) (y - off))
                                    && found <= output.quantize((float) (y + off));
                    allowed.add(y);
                }
                int at = i;
                boolean found = right;
                assertTrue(
                        found,
                        () ->
                                String.format(
                                        "%s of %s is one of %s, not %s in %s",
                                        function, expected[at], allowed, values[at], network));
            }
        }
    }

    private static INDArray activate(Layer layer, INDArray x) {
        if (layer.conf().getLayer() instanceof SubsamplingLayer pool
                && !(pool instanceof Subsampling1DLayer)
                && pool.getPoolingType() == PoolingType.MAX
                && (pool.getDilation()[0] > 1 || pool.getDilation()[1] > 1)) {
            return maxima(pool, x);
        }
        return layer.activate(x.dup(), false, LayerWorkspaceMgr.noWorkspaces()).dup('c');
    }

    /** By definition: DL4J's own pooling ignores the dilation with oneDNN. */
    private static INDArray maxima(SubsamplingLayer pool, INDArray images) {
        boolean last = pool.getCnn2dDataFormat() == CNN2DFormat.NHWC;
        INDArray x = last ? images.permute(0, 3, 1, 2) : images;
        int[] begin = new int[2];
        int[] results = new int[2];
        for (int axis = 0; axis < 2; axis++) {
            int size = (int) x.size(2 + axis);
            int stride = pool.getStride()[axis];
            int reach = pool.getDilation()[axis] * (pool.getKernelSize()[axis] - 1) + 1;
            boolean same = pool.getConvolutionMode() == ConvolutionMode.Same;
            int padding = 2 * pool.getPadding()[axis];
            if (same) {
                results[axis] = (size + stride - 1) / stride;
                padding = (results[axis] - 1) * stride + reach - size;
            } else {
                results[axis] = (size + padding - reach) / stride + 1;
            }
            begin[axis] = -(padding / 2);
        }
        INDArray maxima = Nd4j.create(x.size(0), x.size(1), results[0], results[1]);
        NdIndexIterator places = new NdIndexIterator(maxima.shape());
        while (places.hasNext()) {
            long[] at = places.next();
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < pool.getKernelSize()[0]; i++) {
                for (int j = 0; j < pool.getKernelSize()[1]; j++) {
                    long y =
                            begin[0]
                                    + at[2] * pool.getStride()[0]
                                    + (long) i * pool.getDilation()[0];
                    long z =
                            begin[1]
                                    + at[3] * pool.getStride()[1]
                                    + (long) j * pool.getDilation()[1];
                    if (y >= 0 && y < x.size(2) && z >= 0 && z < x.size(3)) {
                        largest = Math.max(largest, x.getDouble(at[0], at[1], y, z));
                    }
                }
            }
            maxima.putScalar(at, largest == Double.NEGATIVE_INFINITY ? 0 : largest);
        }
        return last ? maxima.permute(0, 2, 3, 1).dup('c') : maxima;
    }
}
