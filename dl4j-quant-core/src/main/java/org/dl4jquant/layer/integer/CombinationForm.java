// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeOperation;
import org.dl4jquant.numeric.QuantParams;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of tensors of codes that are combined place by place, {@link CodeOperation}, which a
 * layer after it rounds. Dimensions of size 1 are repeated, as DL4J does.
 *
 * <p>The network infers all but the product of two with DL4J's own arithmetic: it computes in
 * float32 from left to right, and rounding its result is exact.
 */
public final class CombinationForm implements IntegerForm {

    private final CodeOperation.Kind kind;
    private final LayerTensors tensors;

    private CombinationForm(CodeOperation.Kind kind, LayerTensors tensors) {
        this.kind = kind;
        this.tensors = tensors;
    }

    /**
     * Returns the support of a vertex.
     *
     * @param vertex its configuration
     * @return a form
     */
    public static IntegerSupport of(ElementWiseVertex vertex) {
        CodeOperation.Kind kind =
                switch (Require.given(vertex, "vertex").getOp()) {
                    case Add -> CodeOperation.Kind.SUM;
                    case Subtract -> CodeOperation.Kind.DIFFERENCE;
                    case Product -> CodeOperation.Kind.PRODUCT;
                    case Average -> CodeOperation.Kind.MEAN;
                    case Max -> CodeOperation.Kind.MAXIMUM;
                };
        return IntegerSupport.of(tensors -> new CombinationForm(kind, tensors));
    }

    /**
     * Returns the form of a running product.
     *
     * @param tensors its two inputs, and the result of the layer that rounds it
     * @return the form
     */
    public static CombinationForm ofProduct(LayerTensors tensors) {
        return new CombinationForm(CodeOperation.Kind.PRODUCT, Require.given(tensors, "tensors"));
    }

    /* As for sums: float64 has no integer form, training in half precision has no codes, and
     * scales that the engines refuse are left to float. */
    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        if (tensors.type() != DataType.FLOAT
                || !CodeOperation.isFused(kind, inputs.size())
                || inputs.get(0).rank() != inputs.get(1).rank()) {
            return List.of();
        }
        QuantParams left = tensors.input(0);
        QuantParams right = tensors.input(1);
        QuantParams result = tensors.codes(TensorRole.OUTPUT);
        if (left == null
                || right == null
                || result == null
                || !CodeOperation.canMultiply(left, right, result)) {
            return List.of();
        }
        INDArray product = call.inFloat().get();
        float[] values = repeated(inputs.get(0), product.shape());
        CodeOperation.of(kind, List.of(left, right), result, result.range())
                .multiplyValues(values, repeated(inputs.get(1), product.shape()), values);
        RowMajor.copyInto(values, product);
        return List.of(product);
    }

    private static float[] repeated(INDArray input, long[] shape) {
        float[] values = RowMajor.floats(input);
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            if (input.size(axis) != shape[axis]) {
                values = repeated(values, axis, shape);
            }
        }
        return values;
    }

    /* The axes after it have the result's sizes already, those before it the input's. */
    private static float[] repeated(float[] values, int axis, long[] shape) {
        int block = 1;
        for (int after = axis + 1; after < shape.length; after++) {
            block *= (int) shape[after];
        }
        int times = (int) shape[axis];
        float[] repeated = new float[values.length * times];
        for (int from = 0; from < values.length; from += block) {
            for (int copy = 0; copy < times; copy++) {
                System.arraycopy(values, from, repeated, from * times + copy * block, block);
            }
        }
        return repeated;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        return emit(kind, graph, inputs);
    }

    /** {@return the results of an operation on any number of tensors} */
    static List<Signal> emit(CodeOperation.Kind kind, NodeEmitter graph, List<Signal> inputs) {
        if (inputs.size() == 1) {
            return inputs;
        }
        boolean last = inputs.stream().anyMatch(Signal::hasChannelsLast);
        List<String> codes =
                inputs.stream()
                        .map(input -> last ? graph.channelsFirst(input) : graph.codes(input))
                        .toList();
        return List.of(new Signal.Unrounded(graph.step(), new Combination(kind, codes), last));
    }

    /**
     * The node, which applies clamps itself.
     *
     * @param kind the operation
     * @param inputs codes
     */
    private record Combination(CodeOperation.Kind kind, List<String> inputs)
            implements PendingOperation {
        @Override
        public IntNode node(String name, Output.Codes output) {
            return new Elementwise(name, kind, inputs, output);
        }

        @Override
        public boolean clamps() {
            return true;
        }
    }
}
