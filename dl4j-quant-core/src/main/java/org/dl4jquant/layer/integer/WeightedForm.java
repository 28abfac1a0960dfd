// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.Requantizer;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of layers with one weight and a bias: sums of products of codes, with the batch
 * normalization folded into signs, scales and bias; then codes of the result, through the
 * activation function, or float32 values that leave the network.
 */
public final class WeightedForm implements IntegerForm {

    private final WeightedArithmetic arithmetic;
    private final LayerTensors tensors;
    private final Layer layer;
    private final @Nullable PointwiseActivation function;
    private final @Nullable CodedWeights weights;

    private WeightedForm(WeightedArithmetic arithmetic, Layer layer, LayerTensors tensors) {
        this.arithmetic = arithmetic;
        this.layer = layer;
        this.tensors = tensors;
        this.function = functionOf(arithmetic, tensors);
        CodeRounder rounder = tensors.weight(arithmetic.weightKey());
        INDArray view = tensors.view();
        this.weights =
                rounder == null
                                || view == null
                                || function == null
                                || tensors.isHalf(TensorRole.OUTPUT)
                                || tensors.type() != DataType.FLOAT
                        ? null
                        : new CodedWeights(tensors, arithmetic, rounder, view);
    }

    /**
     * Returns the support of a kind of layer.
     *
     * @param arithmetic its sums
     * @param layer its configuration, for messages
     * @return the support
     */
    static IntegerSupport.Supported of(WeightedArithmetic arithmetic, Layer layer) {
        return new IntegerSupport.Supported(
                tensors ->
                        tensors.runtimeScale() == null
                                ? new WeightedForm(arithmetic, layer, tensors)
                                : new DynamicForm(arithmetic, layer, tensors),
                true);
    }

    /* Without codes of the result the function is applied in float, whatever it is. */
    private static @Nullable PointwiseActivation functionOf(
            WeightedArithmetic arithmetic, LayerTensors tensors) {
        if (tensors.codes(TensorRole.OUTPUT) == null || arithmetic.lastFunction() != null) {
            return PointwiseActivation.IDENTITY;
        }
        return PointwiseActivation.of(tensors.function())
                .filter(
                        known ->
                                known.isClamp() || tensors.codes(TensorRole.PRE_ACTIVATION) != null)
                .orElse(null);
    }

    /**
     * {@return the layer's weights as integers, now}
     *
     * @throws IllegalStateException if the layer does not compute in integers, or a parameter is
     *     NaN or infinite
     */
    public WeightTensor weights() {
        CodedWeights coded = weights;
        QuantParams input = tensors.input(0);
        Require.state(
                coded != null && input != null,
                "layer \"%s\" does not compute in integers",
                tensors.name());
        return Objects.requireNonNull(coded).tensor(Objects.requireNonNull(input));
    }

    /** {@return the codes of the result; null if it leaves as float32} */
    public @Nullable ResultCodes result() {
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        PointwiseActivation known = function;
        return output == null || known == null
                ? null
                : ResultCodes.of(known, tensors.codes(TensorRole.PRE_ACTIVATION), output);
    }

    /** {@return the tensors of the layer} */
    public LayerTensors tensors() {
        return tensors;
    }

    @Override
    public boolean hasCodedBias() {
        return weights != null;
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        CodedWeights coded = weights;
        QuantParams input = tensors.input(0);
        if (coded == null || input == null) {
            return List.of();
        }
        if (arithmetic.isSequence() && call.mask() != null) {
            return List.of();
        }
        INDArray y = coded.accumulators(inputs.get(0), input, call);
        float[] scales = coded.tensor(input).scales();
        Channels channels = Channels.axis(arithmetic.channelAxis());
        ResultCodes result = result();
        if (result == null) {
            for (int channel = 0; channel < scales.length; channel++) {
                scales[channel] = input.scale() * scales[channel];
            }
            Requantizer.toFloat(y, scales, channels, y);
        } else {
            result.requantizer(input.scale(), scales, channels).values(y, y);
        }
        return List.of(finished(y, result == null, call.mask()));
    }

    /* The rest is done in float: a function without codes after it, and the mask. */
    private INDArray finished(INDArray y, boolean inFloat, @Nullable INDArray mask) {
        INDArray result = inFloat || arithmetic.lastFunction() != null ? throughFunction(y) : y;
        if (mask != null && result.rank() == 2) {
            result.muliColumnVector(mask);
        }
        return result;
    }

    /* Functions go along the last dimension. */
    private INDArray throughFunction(INDArray y) {
        return isAlongFirst()
                ? OutputFunctions.infer(resultFunction(), y.permute(0, 2, 1)).permute(0, 2, 1)
                : OutputFunctions.infer(resultFunction(), y);
    }

    private boolean isAlongFirst() {
        return arithmetic.isSequence() && arithmetic.channelAxis() == 1;
    }

    private IActivation resultFunction() {
        IActivation last = arithmetic.lastFunction();
        return last == null ? tensors.function() : last;
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        if (!tensors.isQuantized()) {
            return FloatLayers.leftInFloat(layer);
        }
        if (tensors.type() != DataType.FLOAT) {
            return FloatLayers.inOtherType(tensors.type());
        }
        if (tensors.weight(arithmetic.weightKey()) == null) {
            return FloatLayers.because(layer, "its weights are not rounded to integers");
        }
        if (tensors.input(0) == null) {
            return FloatLayers.because(layer, "its input is not rounded to integers");
        }
        return function == null ? FloatLayers.unknownFunction(tensors.function()) : null;
    }

    @Override
    public MaskUse maskUse() {
        return arithmetic.maskUse();
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal arriving = InputCodes.arriving(graph, tensors, inputs.get(0));
        String input = graph.codes(arriving);
        WeightTensor integers = weights();
        Moves moves =
                Moves.of(arithmetic.rearranged(graph.type(input).shape(), integers.channels()));
        ResultCodes result = result();
        if (result == null) {
            return List.of(
                    LastFunctions.emit(
                            graph,
                            resultFunction(),
                            isAlongFirst(),
                            name ->
                                    moves.ofResults(
                                            graph,
                                            name,
                                            sums ->
                                                    arithmetic.node(
                                                            graph,
                                                            sums,
                                                            input,
                                                            integers,
                                                            new Output.Floats()))));
        }
        if (arithmetic.lastFunction() != null) {
            throw new IntegerRefusal(
                    "the result of this output layer is rounded before its activation function",
                    "prepare the float network; output layers get no quantizer of their result");
        }
        NodeEmitter computed = moves.isEmpty() ? graph : graph.part("sums");
        Signal.Codes sums = result.emit(computed, new Sums(computed, input, integers));
        return List.of(new Signal.Codes(moves.emit(graph, sums.node())));
    }

    /** The node of the sums, which applies clamps itself. */
    private final class Sums implements PendingOperation {
        private final NodeEmitter graph;
        private final String input;
        private final WeightTensor integers;

        Sums(NodeEmitter graph, String input, WeightTensor integers) {
            this.graph = graph;
            this.input = input;
            this.integers = integers;
        }

        @Override
        public IntNode node(String name, Output.Codes output) {
            return arithmetic.node(graph, name, input, integers, output);
        }

        @Override
        public boolean clamps() {
            return true;
        }
    }
}
