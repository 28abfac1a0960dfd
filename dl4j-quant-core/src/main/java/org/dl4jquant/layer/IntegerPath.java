// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.fakequant.Requantizer;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.layer.rounding.ShadowWeights;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.IntFormat;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Inference of a layer with weights, in integers: what it returns are the values of exactly the
 * codes that an engine computes from its {@link IntegerParameters}.
 */
final class IntegerPath {

    /* The inner arithmetic is DL4J's own, on a twin of the layer that holds the codes as float32: its
     * accumulators are integers, which float32 adds exactly up to 2^24 in any order; larger ones
     * are made of several sums (ExactSums). They are
     * rounded once more because a fast convolution algorithm (Winograd) may multiply by fractions.
     *
     * The twin is filled again only when a parameter has changed; the comparison is by content, so
     * that nothing, not even a write through a view, goes unnoticed. */

    private final QuantizedLayer conf;
    private final Map<String, INDArray> parameters;
    private final INDArray view;
    private final CodeRounder weights;
    private final @Nullable NormalizationStep normalization;
    private final PointwiseActivation activation;
    private final Layer twin;

    private float[] seen = new float[0];
    private @Nullable QuantParams seenInput;
    private @Nullable WeightTensor folded;
    private @Nullable ExactSums largeSums;
    private @Nullable INDArray codes;

    private IntegerPath(
            QuantizedLayer conf,
            Map<String, INDArray> parameters,
            INDArray view,
            CodeRounder weights,
            @Nullable NormalizationStep normalization,
            PointwiseActivation activation,
            Layer twin) {
        this.conf = conf;
        this.parameters = parameters;
        this.view = view;
        this.weights = weights;
        this.normalization = normalization;
        this.activation = activation;
        this.twin = twin;
    }

    /**
     * {@return whether the layer's inference can be computed in integers}
     *
     * @param conf the layer
     */
    static boolean supports(QuantizedLayer conf) {
        LayerQuantizers quantizers = conf.quantizers();
        return hasIntegerArithmetic(conf.getUnderlying())
                && quantizers.weights() != null
                && quantizers.weights().format() instanceof IntFormat
                && !(quantizers.weights().granularity() instanceof Granularity.PerGroup)
                && (quantizers.inputFrom() != null
                        || (quantizers.input() != null && quantizers.input().isInteger()))
                && (quantizers.output() == null || quantizers.output().isInteger())
                && activationOf(conf).isPresent();
    }

    /**
     * {@return whether the integer graph has a layer of this type}
     *
     * @param layer a DL4J layer's configuration
     */
    static boolean hasIntegerArithmetic(org.deeplearning4j.nn.conf.layers.Layer layer) {
        Class<?> type = layer.getClass();
        return type == ConvolutionLayer.class
                || type == org.deeplearning4j.nn.conf.layers.Convolution2D.class
                || type == DepthwiseConvolution2D.class
                || type == OutputLayer.class
                || (type == DenseLayer.class && !((DenseLayer) layer).hasLayerNorm());
    }

    /* Without an output quantizer the function is applied in float, whatever it is. */
    private static Optional<PointwiseActivation> activationOf(QuantizedLayer conf) {
        LayerQuantizers quantizers = conf.quantizers();
        if (quantizers.output() == null) {
            return Optional.of(PointwiseActivation.IDENTITY);
        }
        ActivationScheme argument = quantizers.scheme(TensorRole.PRE_ACTIVATION);
        boolean table = argument != null && argument.isInteger();
        return PointwiseActivation.of(InnerLayer.separateActivation(conf))
                .filter(known -> known.isClamp() || table);
    }

    /** {@return the integer inference of a layer; null if it has none} */
    static @Nullable IntegerPath of(
            QuantizedLayer conf,
            NeuralNetConfiguration outer,
            Map<String, INDArray> parameters,
            INDArray view,
            ShadowWeights shadow,
            @Nullable NormalizationStep normalization,
            DataType type) {
        CodeRounder weights = shadow.codes();
        if (type != DataType.FLOAT || weights == null || !supports(conf)) {
            return null;
        }
        return new IntegerPath(
                conf,
                parameters,
                view,
                weights,
                normalization,
                activationOf(conf).orElseThrow(),
                InnerLayer.instantiate(twinOf(conf.getUnderlying()), outer, null, 0, type));
    }

    private static org.deeplearning4j.nn.conf.layers.Layer twinOf(
            org.deeplearning4j.nn.conf.layers.Layer layer) {
        BaseLayer twin =
                layer instanceof OutputLayer output
                        ? new DenseLayer.Builder()
                                .nIn(output.getNIn())
                                .nOut(output.getNOut())
                                .build()
                        : (BaseLayer) layer.clone();
        twin.setActivationFn(new ActivationIdentity());
        twin.setIDropout(null);
        twin.setWeightNoise(null);
        twin.setConstraints(null);
        if (twin instanceof ConvolutionLayer convolution) {
            convolution.setHasBias(true);
        } else {
            ((DenseLayer) twin).setHasBias(true);
        }
        return twin;
    }

    void setMask(@Nullable INDArray mask) {
        twin.setMaskArray(mask);
    }

    /**
     * {@return the layer's weights as integers, now}
     *
     * @throws IllegalStateException if a parameter is NaN or infinite; the message names it
     */
    WeightTensor weights(QuantParams input) {
        float[] now = RowMajor.floats(view);
        WeightTensor last = folded;
        if (last != null && input.equals(seenInput) && Arrays.equals(seen, now)) {
            return last;
        }
        WeightTensor fresh = fold(input);
        ExactSums sums = new ExactSums(fresh);
        boolean small =
                sums.areSmall(
                        input.range().min() - input.zeroPoint(),
                        input.range().max() - input.zeroPoint());
        largeSums = small ? null : sums;
        fill(fresh, small);
        seen = now;
        seenInput = input;
        folded = fresh;
        return fresh;
    }

    private WeightTensor fold(QuantParams input) {
        String lost = NonFinite.firstName(parameters);
        Require.state(
                lost == null,
                "layer \"%s\": its parameter \"%s\" is NaN or infinite, and no integer stands for"
                        + " that; %s",
                conf.getLayerName(),
                String.valueOf(lost),
                TrainingCheck.REMEDY);
        INDArray rows =
                outputFirst(weights.beforeRounding(parameter(DefaultParamInitializer.WEIGHT_KEY)));
        INDArray bias = parameters.get(DefaultParamInitializer.BIAS_KEY);
        return new IntegerFold(
                        shapeOf(rows),
                        weights.range(),
                        RowMajor.floats(rows),
                        weights.usableScales(),
                        bias == null ? null : RowMajor.floats(bias),
                        normalization == null ? null : normalization.finiteLine())
                .fold(input);
    }

    private INDArray parameter(String key) {
        return Objects.requireNonNull(parameters.get(key), key);
    }

    /**
     * A view of a weight as the integer graph has it: [out, in / groups, height, width] or [out,
     * in].
     */
    private INDArray outputFirst(INDArray weight) {
        org.deeplearning4j.nn.conf.layers.Layer layer = conf.getUnderlying();
        if (layer instanceof DepthwiseConvolution2D) {
            long out = weight.size(2) * weight.size(3);
            return weight.reshape('c', weight.size(0), weight.size(1), out, 1).permute(2, 3, 0, 1);
        }
        return layer instanceof ConvolutionLayer ? weight : weight.transpose();
    }

    private static Shape shapeOf(INDArray array) {
        return Shape.of(Arrays.stream(array.shape()).mapToInt(Math::toIntExact).toArray());
    }

    private void fill(WeightTensor integers, boolean withBias) {
        byte[] bytes = integers.codes();
        float[] values = new float[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            values[i] = bytes[i];
        }
        float[] bias = new float[integers.channels()];
        for (int channel = 0; channel < bias.length; channel++) {
            bias[channel] = withBias ? integers.bias(channel) : 0;
        }
        RowMajor.copyInto(values, outputFirst(twin.getParam(DefaultParamInitializer.WEIGHT_KEY)));
        RowMajor.copyInto(bias, twin.getParam(DefaultParamInitializer.BIAS_KEY));
    }

    /**
     * Computes the layer's result.
     *
     * @param x the layer's input, in values
     * @param input how its codes stand for values
     * @param preActivation how the codes before a table stand for values; null without a table
     * @param output how the result's codes stand for values; null if it leaves in float
     * @param mgr the workspaces
     * @return values of codes, or float values before the activation function
     */
    INDArray activate(
            INDArray x,
            QuantParams input,
            @Nullable QuantParams preActivation,
            @Nullable QuantParams output,
            LayerWorkspaceMgr mgr) {
        WeightTensor integers = weights(input);
        INDArray accumulators = accumulators(codesOf(x, input), mgr);
        requantizeInPlace(accumulators, integers, input, preActivation, output);
        return accumulators;
    }

    private INDArray accumulators(INDArray arriving, LayerWorkspaceMgr mgr) {
        ExactSums large = largeSums;
        return large == null
                ? sums(arriving, mgr)
                : large.of(arriving, channelAxis(), part -> sums(part, mgr));
    }

    private INDArray sums(INDArray arriving, LayerWorkspaceMgr mgr) {
        twin.setInput(arriving, mgr);
        INDArray sums = twin.activate(false, mgr);
        twin.clear();
        return sums;
    }

    /** The input's codes, less the zero point, as float32: what padding adds is then 0. */
    private INDArray codesOf(INDArray x, QuantParams input) {
        INDArray buffer = codes;
        if (buffer == null || !Arrays.equals(buffer.shape(), x.shape())) {
            buffer = Nd4j.createUninitializedDetached(DataType.FLOAT, x.shape());
            codes = buffer;
        }
        FakeQuantizer.of(input.range(), input.zeroPoint(), Estimator.STE, Channels.NONE)
                .codes(x, Nd4j.scalar(input.scale()), buffer);
        return buffer;
    }

    private void requantizeInPlace(
            INDArray accumulators,
            WeightTensor integers,
            QuantParams input,
            @Nullable QuantParams preActivation,
            @Nullable QuantParams output) {
        Channels channels = Channels.axis(channelAxis());
        float[] scales = integers.scales();
        if (output == null) {
            for (int channel = 0; channel < scales.length; channel++) {
                scales[channel] = input.scale() * scales[channel];
            }
            Requantizer.toFloat(accumulators, scales, channels, accumulators);
            return;
        }
        QuantParams rounded = preActivation == null ? output : preActivation;
        for (int channel = 0; channel < scales.length; channel++) {
            scales[channel] = Rounding.multiplier(input.scale(), scales[channel], rounded.scale());
        }
        CodeTable table = table(preActivation, output);
        CodeRange bounds = activation.bounds(output);
        Requantizer requantizer =
                preActivation == null || table == null
                        ? Requantizer.of(scales, channels, output, bounds)
                        : Requantizer.withTable(
                                scales, channels, preActivation, table, output, bounds);
        requantizer.values(accumulators, accumulators);
    }

    @Nullable CodeTable table(@Nullable QuantParams preActivation, @Nullable QuantParams output) {
        return preActivation == null || output == null || activation.isClamp()
                ? null
                : activation.toTable(preActivation, output);
    }

    PointwiseActivation activation() {
        return activation;
    }

    private int channelAxis() {
        return ChannelAxis.of(conf.getUnderlying());
    }
}
