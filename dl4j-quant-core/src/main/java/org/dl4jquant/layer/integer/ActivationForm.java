// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.Estimator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The form of an activation layer with quantizers: a clamp of codes, or a table. With the identity
 * it rounds the result of a layer or vertex that has no quantizer of its own.
 */
public final class ActivationForm implements IntegerForm {

    private final ActivationLayer layer;
    private final LayerTensors tensors;
    private final @Nullable PointwiseActivation function;

    private ActivationForm(ActivationLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
        this.function = PointwiseActivation.of(tensors.function()).orElse(null);
    }

    /**
     * Returns the support of an activation layer.
     *
     * @param layer its configuration
     * @return a form; without quantizers that of a last function
     */
    public static IntegerSupport of(ActivationLayer layer) {
        Require.given(layer, "layer");
        return IntegerSupport.of(
                tensors ->
                        tensors.isQuantized()
                                ? quantized(layer, tensors)
                                : LastFunctionForm.of(layer.getActivationFn()));
    }

    /**
     * Returns the support of a batch normalization that no layer before it takes in. With
     * quantizers it is that of an activation layer that has taken it in.
     *
     * @return a form
     */
    public static IntegerSupport ofNormalization() {
        return NormalizationForm.support(IntegerSupport.of(NormalizationForm::new));
    }

    private static IntegerForm quantized(ActivationLayer layer, LayerTensors tensors) {
        return tensors.isNormalized()
                ? new NormalizationForm(tensors)
                : new ActivationForm(layer, tensors);
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        INDArray x = inputs.get(0);
        ResultCodes result = result();
        if (result == null) {
            return List.of();
        }
        if (result.table() != null) {
            return List.of(lookUp(x, result, call.workspaces()));
        }
        return function != null && function.isClamp() && !tensors.roundsInput()
                ? List.of(clamped(x, result, call.workspaces()))
                : List.of();
    }

    /** {@return the codes of the result; null if it has none} */
    private @Nullable ResultCodes result() {
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        PointwiseActivation known = function;
        QuantParams argument = tensors.input(0);
        return output == null || known == null || (!known.isClamp() && argument == null)
                ? null
                : ResultCodes.of(known, argument, output);
    }

    /* The clamp is one of codes, as in the engines: with a scale so coarse that its ends are one
     * code, a clamp of values would be narrower. The code of 0 is inside any clamp. */
    private static INDArray clamped(INDArray x, ResultCodes result, LayerWorkspaceMgr workspaces) {
        QuantParams output = result.output();
        INDArray y = resultLike(x, workspaces);
        FakeQuantizer.of(result.bounds(), output.zeroPoint(), Estimator.STE, Channels.NONE)
                .forward(x, Nd4j.scalar(x.dataType(), output.scale()), y);
        return y;
    }

    private static INDArray lookUp(INDArray x, ResultCodes result, LayerWorkspaceMgr workspaces) {
        INDArray y = resultLike(x, workspaces);
        result.lookUp().values(x, y);
        return y;
    }

    private static INDArray resultLike(INDArray x, LayerWorkspaceMgr workspaces) {
        return workspaces.createUninitialized(
                ArrayType.ACTIVATIONS, x.dataType(), x.shape(), x.ordering());
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        if (tensors.codes(TensorRole.OUTPUT) == null) {
            return FloatLayers.because(layer, "its result is not rounded to integers");
        }
        return result() == null ? FloatLayers.unknownFunction(tensors.function()) : null;
    }

    /* DL4J does not mask the results of activation layers. */
    @Override
    public MaskUse maskUse() {
        return MaskUse.UNDERSTOOD;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        ResultCodes result = result();
        if (result == null) {
            throw Objects.requireNonNull(obstacle()).exception();
        }
        Signal arriving = InputCodes.arriving(graph, tensors, inputs.get(0));
        if (arriving instanceof Signal.Unrounded unrounded) {
            String node = result.emit(graph, unrounded.operation()).node();
            return List.of(new Signal.Codes(node, unrounded.channelsLast()));
        }
        if (arriving instanceof Signal.Values values && result.table() == null) {
            return List.of(clampedValues(graph, values, result));
        }
        if (arriving instanceof Signal.Codes codes) {
            String node = result.emit(graph, codes.node()).node();
            return List.of(new Signal.Codes(node, codes.channelsLast()));
        }
        return List.of(result.emit(graph, graph.codes(arriving)));
    }

    /* Rounding and clamping may change places, so float values are rounded first. */
    private Signal clampedValues(NodeEmitter graph, Signal.Values input, ResultCodes result) {
        String values = graph.valuesToRound(input, tensors.inputShape());
        QuantParams output = result.output();
        if (output.range().equals(result.bounds())) {
            return new Signal.Codes(graph.add(new Quantize(graph.name(), values, output)));
        }
        return result.emit(graph, graph.add(new Quantize(graph.inner("quantize"), values, output)));
    }
}
