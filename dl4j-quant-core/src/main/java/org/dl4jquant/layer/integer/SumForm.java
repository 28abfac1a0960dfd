// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeOperation;
import org.dl4jquant.numeric.CodeSum;
import org.dl4jquant.numeric.QuantParams;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a sum of tensors of codes, which a layer after it rounds: {@link CodeSum} of two of
 * one shape, else {@link CodeOperation}.
 */
public final class SumForm implements IntegerForm {

    private final LayerTensors tensors;

    private SumForm(LayerTensors tensors) {
        this.tensors = tensors;
    }

    /**
     * Returns the support of a sum.
     *
     * @return a form
     */
    public static IntegerSupport support() {
        return IntegerSupport.of(SumForm::new);
    }

    /**
     * Returns the form of a running sum.
     *
     * @param tensors its two inputs, and the result of the layer that rounds it
     * @return the form
     */
    public static SumForm of(LayerTensors tensors) {
        return new SumForm(Require.given(tensors, "tensors"));
    }

    /* Sums that repeat values are float32 sums in engines, too. Float64 has no integer form. While
     * training goes on in float or half precision there are no codes to add. Scales so far apart that the engines refuse them are
     * left to float. */
    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        boolean addsArrays =
                tensors.type() == DataType.FLOAT
                        && inputs.size() == 2
                        && inputs.get(0).equalShapes(inputs.get(1));
        if (!addsArrays) {
            return List.of();
        }
        QuantParams left = tensors.input(0);
        QuantParams right = tensors.input(1);
        QuantParams result = tensors.codes(TensorRole.OUTPUT);
        if (left == null
                || right == null
                || result == null
                || !CodeSum.canAdd(left, result)
                || !CodeSum.canAdd(right, result)) {
            return List.of();
        }
        float[] values = RowMajor.floats(inputs.get(0));
        CodeSum.of(left, right, result, result.range())
                .addValues(values, RowMajor.floats(inputs.get(1)), values);
        INDArray sum = call.inFloat().get();
        RowMajor.copyInto(values, sum);
        return List.of(sum);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        if (inputs.size() != 2) {
            return CombinationForm.emit(CodeOperation.Kind.SUM, graph, inputs);
        }
        boolean last = inputs.stream().anyMatch(Signal::hasChannelsLast);
        List<String> codes =
                inputs.stream()
                        .map(input -> last ? graph.channelsFirst(input) : graph.codes(input))
                        .toList();
        if (!graph.type(codes.get(0)).shape().equals(graph.type(codes.get(1)).shape())) {
            return CombinationForm.emit(CodeOperation.Kind.SUM, graph, inputs);
        }
        Sum sum = new Sum(codes.get(0), codes.get(1));
        return List.of(new Signal.Unrounded(graph.step(), sum, last));
    }

    /**
     * The node of a sum, which applies clamps itself.
     *
     * @param left codes
     * @param right codes
     */
    private record Sum(String left, String right) implements PendingOperation {
        @Override
        public IntNode node(String name, Output.Codes output) {
            return new Add(name, left, right, output);
        }

        @Override
        public boolean clamps() {
            return true;
        }
    }
}
