// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a recurrent layer: a {@link org.dl4jquant.numeric.recurrent.Recurrence} over the
 * steps of its input. Further inputs are the states before the first step, the hidden state and, of
 * an LSTM, the memory; further results are those after the last one.
 */
public final class RecurrentForm implements IntegerForm {

    private final BaseRecurrentLayer layer;
    private final LayerTensors tensors;
    private final RecurrentArithmetic arithmetic;

    private RecurrentForm(BaseRecurrentLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
        this.arithmetic =
                new RecurrentArithmetic(layer, tensors, RecurrentArithmetic.Direction.ONLY);
    }

    /**
     * Returns the support of a recurrent layer.
     *
     * @param layer its configuration
     * @return a form, or the refusal of an option
     */
    public static IntegerSupport of(BaseRecurrentLayer layer) {
        Require.given(layer, "layer");
        IntegerSupport.Refusal refusal = RecurrentArithmetic.refusal(layer);
        if (refusal != null) {
            return refusal;
        }
        return ChannelsLastForm.of(
                layer.getRnnDataFormat(),
                IntegerSupport.of(tensors -> new RecurrentForm(layer, tensors)));
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        if (tensors.type() != DataType.FLOAT || arithmetic.notInIntegers() != null) {
            return List.of();
        }
        INDArray mask = call.mask();
        boolean channelsLast = layer.getRnnDataFormat() == RNNFormat.NWC;
        INDArray given = inputs.get(0);
        INDArray x = channelsLast && given.rank() == 3 ? given.permute(0, 2, 1) : given;
        arithmetic.requireFits(x);
        float[] counting = SequenceMasks.values(tensors.name(), mask, x);
        if (mask != null && counting == null) {
            return List.of();
        }
        int examples = Math.toIntExact(x.size(0));
        SequenceRun run = arithmetic.run();
        SequenceRun.States states = run.states(inputs, examples);
        float[] values = run.run(RowMajor.floats(x), examples, counting, states);
        inOutputCodes(values);
        long units = values.length / examples / x.size(2);
        INDArray result =
                call.workspaces()
                        .createUninitialized(
                                ArrayType.ACTIVATIONS,
                                DataType.FLOAT,
                                channelsLast
                                        ? new long[] {examples, x.size(2), units}
                                        : new long[] {examples, units, x.size(2)},
                                'c');
        RowMajor.copyInto(values, channelsLast ? result.permute(0, 2, 1) : result);
        List<INDArray> results = new ArrayList<>(List.of(result));
        results.addAll(states.arrays(examples));
        return results;
    }

    /* The result's own quantizer rounds the hidden state again. */
    private void inOutputCodes(float[] values) {
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        if (output != null) {
            for (int i = 0; i < values.length; i++) {
                if (!Float.isNaN(values[i])) {
                    values[i] = output.dequantize(output.quantize(values[i]));
                }
            }
        }
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return obstacle(layer, tensors, arithmetic.notInIntegers());
    }

    static IntegerSupport.@Nullable Refusal obstacle(
            org.deeplearning4j.nn.conf.layers.Layer layer,
            LayerTensors tensors,
            @Nullable String notInIntegers) {
        if (!tensors.isQuantized()) {
            return FloatLayers.leftInFloat(layer);
        }
        if (tensors.type() != DataType.FLOAT) {
            return IntegerSupport.refused(
                    "it computes in " + tensors.type(),
                    "lower what network.convertDataType(DataType.FLOAT) returns");
        }
        return notInIntegers == null ? null : FloatLayers.because(layer, notInIntegers);
    }

    @Override
    public MaskUse maskUse() {
        return MaskUse.UNDERSTOOD;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        return emit(graph, inputs, false);
    }

    @Override
    public List<Signal> emitMasked(NodeEmitter graph, List<Signal> inputs) {
        return emit(graph, inputs, true);
    }

    private List<Signal> emit(NodeEmitter graph, List<Signal> inputs, boolean set) {
        String input = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        Optional<String> mask = arithmetic.mask(graph, input, set);
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        QuantParams hidden = Objects.requireNonNull(tensors.codes(TensorRole.HIDDEN));
        if (output == null || output.equals(hidden)) {
            return List.of(new Signal.Codes(graph.add(arithmetic.node(graph.name(), input, mask))));
        }
        String states = graph.add(arithmetic.node(graph.inner("hidden"), input, mask));
        return List.of(
                ResultCodes.of(PointwiseActivation.IDENTITY, null, output).emit(graph, states));
    }
}
