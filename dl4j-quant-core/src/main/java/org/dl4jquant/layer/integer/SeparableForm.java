// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.params.SeparableConvolutionParamInitializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of separable convolutions: a depthwise convolution without bias and function, whose
 * result is rounded to codes, and a convolution of single pixels with all the rest.
 */
public final class SeparableForm implements IntegerForm {

    private static final String DEPTHWISE =
            SeparableConvolutionParamInitializer.DEPTH_WISE_WEIGHT_KEY;
    private static final String POINTWISE =
            SeparableConvolutionParamInitializer.POINT_WISE_WEIGHT_KEY;
    private static final String BIAS = SeparableConvolutionParamInitializer.BIAS_KEY;

    private final LayerTensors tensors;
    private final Layer layer;
    private final boolean channelsLast;
    private final IntegerForm depthwise;
    private final IntegerForm pointwise;

    private SeparableForm(SeparableConvolution2D layer, LayerTensors tensors) {
        this.tensors = tensors;
        this.layer = layer;
        this.channelsLast = layer.getCnn2dDataFormat() == CNN2DFormat.NHWC;
        this.depthwise =
                WeightedForm.of(new ConvolutionForm(depthwise(layer)), layer)
                        .maker()
                        .apply(new DepthwiseTensors(tensors));
        this.pointwise =
                WeightedForm.of(new Pixels(new ConvolutionForm(pointwise(layer))), layer)
                        .maker()
                        .apply(new PointwiseTensors(tensors));
    }

    /**
     * Returns the support of a separable convolution.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(SeparableConvolution2D layer) {
        Require.given(layer, "layer");
        return ChannelsLastForm.of(
                layer.getCnn2dDataFormat(),
                IntegerSupport.of(tensors -> new SeparableForm(layer, tensors)));
    }

    private static DepthwiseConvolution2D depthwise(SeparableConvolution2D layer) {
        return new DepthwiseConvolution2D.Builder()
                .kernelSize(layer.getKernelSize())
                .stride(layer.getStride())
                .padding(layer.getPadding())
                .dilation(layer.getDilation())
                .convolutionMode(layer.getConvolutionMode())
                .dataFormat(layer.getCnn2dDataFormat())
                .depthMultiplier(layer.getDepthMultiplier())
                .nIn(layer.getNIn())
                .nOut(layer.getNIn() * layer.getDepthMultiplier())
                .activation(new ActivationIdentity())
                .build();
    }

    private static ConvolutionLayer pointwise(SeparableConvolution2D layer) {
        return new ConvolutionLayer.Builder(1, 1)
                .convolutionMode(ConvolutionMode.Truncate)
                .dataFormat(layer.getCnn2dDataFormat())
                .nIn(layer.getNIn() * layer.getDepthMultiplier())
                .nOut(layer.getNOut())
                .activation(new ActivationIdentity())
                .build();
    }

    @Override
    public boolean hasCodedBias() {
        return tensors.codes(TensorRole.DEPTHWISE) != null && pointwise.hasCodedBias();
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        if (obstacle() != null) {
            return List.of();
        }
        List<INDArray> between = depthwise.infer(call, inputs);
        return between.isEmpty() ? between : pointwise.infer(call, between);
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        IntegerSupport.Refusal obstacle = depthwise.obstacle();
        if (obstacle == null) {
            obstacle = pointwise.obstacle();
        }
        return obstacle == null && tensors.codes(TensorRole.DEPTHWISE) == null
                ? FloatLayers.because(
                        layer, "the tensor between its halves is not rounded to integers")
                : obstacle;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal.Codes between =
                (Signal.Codes) depthwise.emit(graph.part("depthwise"), inputs).get(0);
        return pointwise.emit(graph, List.of(new Signal.Codes(between.node(), channelsLast)));
    }

    /** The sums of the second half, whose weight has a name of its own. */
    private record Pixels(ConvolutionForm convolution) implements WeightedArithmetic {

        @Override
        public Layer sums() {
            return convolution.sums();
        }

        @Override
        public String weightKey() {
            return POINTWISE;
        }

        @Override
        public INDArray outputFirst(INDArray weight) {
            return convolution.outputFirst(weight);
        }

        @Override
        public int channelAxis() {
            return convolution.channelAxis();
        }

        @Override
        public Weighted node(
                NodeEmitter graph, String name, String input, WeightTensor weights, Output output) {
            return convolution.node(graph, name, input, weights, output);
        }
    }

    /** The tensors of the first half, whose result is the tensor between the halves. */
    private record DepthwiseTensors(LayerTensors whole) implements Half {

        @Override
        public @Nullable QuantParams input(int index) {
            return whole.input(index);
        }

        @Override
        public boolean roundsInput() {
            return whole.roundsInput();
        }

        @Override
        public @Nullable QuantParams codes(TensorRole role) {
            return role == TensorRole.OUTPUT ? whole.codes(TensorRole.DEPTHWISE) : null;
        }

        @Override
        public boolean isHalf(TensorRole role) {
            return whole.isHalf(TensorRole.DEPTHWISE);
        }

        @Override
        public Shape inputShape() {
            return whole.inputShape();
        }

        /* In the order of depthwise convolutions. */
        @Override
        public Map<String, INDArray> parameters() {
            INDArray weight = Objects.requireNonNull(whole.parameters().get(DEPTHWISE), DEPTHWISE);
            return Map.of(DEPTHWISE, weight.permute(2, 3, 1, 0));
        }
    }

    /** The tensors of the second half, whose input is the tensor between the halves. */
    private record PointwiseTensors(LayerTensors whole) implements Half {

        @Override
        public @Nullable QuantParams input(int index) {
            return whole.codes(TensorRole.DEPTHWISE);
        }

        @Override
        public @Nullable QuantParams codes(TensorRole role) {
            return whole.codes(role);
        }

        @Override
        public boolean isHalf(TensorRole role) {
            return whole.isHalf(role);
        }

        @Override
        public IActivation function() {
            return whole.function();
        }

        @Override
        public Map<String, INDArray> parameters() {
            Map<String, INDArray> own = new HashMap<>();
            whole.parameters()
                    .forEach(
                            (key, value) -> {
                                if (key.equals(POINTWISE) || key.equals(BIAS)) {
                                    own.put(key, value);
                                }
                            });
            return own;
        }

        @Override
        public @Nullable ChannelLine normalization() {
            return whole.normalization();
        }
    }

    /** The common part of the tensors of both halves. */
    private interface Half extends LayerTensors {

        /** {@return the tensors of the layer} */
        LayerTensors whole();

        @Override
        default String name() {
            return whole().name();
        }

        @Override
        default boolean isQuantized() {
            return whole().isQuantized();
        }

        @Override
        default DataType type() {
            return whole().type();
        }

        @Override
        default @Nullable INDArray view() {
            return whole().view();
        }

        @Override
        default @Nullable CodeRounder weight(String key) {
            return whole().weight(key);
        }

        @Override
        default org.deeplearning4j.nn.api.Layer instantiate(Layer layer) {
            return whole().instantiate(layer);
        }
    }
}
