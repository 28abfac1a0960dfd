// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.scheme.Estimator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The form of dense layers whose input's scales are found at run time: float32 values in, float32
 * values out, with the products between in integers.
 */
final class DynamicForm implements IntegerForm {

    private final WeightedArithmetic arithmetic;
    private final LayerTensors tensors;
    private final Layer layer;
    private final @Nullable DynamicProduct product;

    DynamicForm(WeightedArithmetic arithmetic, Layer layer, LayerTensors tensors) {
        this.arithmetic = arithmetic;
        this.layer = layer;
        this.tensors = tensors;
        CodeRounder rounder = tensors.weight(arithmetic.weightKey());
        INDArray view = tensors.view();
        boolean computes =
                rounder != null
                        && view != null
                        && arithmetic.rowAxis() >= 0
                        && !tensors.isHalf(TensorRole.OUTPUT)
                        && tensors.type() == DataType.FLOAT;
        this.product =
                computes
                        ? new DynamicProduct(
                                tensors,
                                arithmetic,
                                Objects.requireNonNull(rounder),
                                Objects.requireNonNull(view))
                        : null;
    }

    private RuntimeScale scale() {
        return Objects.requireNonNull(tensors.runtimeScale(), "scale");
    }

    private IActivation function() {
        IActivation last = arithmetic.lastFunction();
        return last == null ? tensors.function() : last;
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        DynamicProduct known = product;
        INDArray mask = call.mask();
        if (known == null || (arithmetic.isSequence() && mask != null)) {
            return List.of();
        }
        INDArray x = inputs.get(0);
        int axis = arithmetic.rowAxis();
        int[] order = order(x.rank(), axis);
        long[] shape = x.shape().clone();
        shape[axis] = known.outputs();
        INDArray y =
                call.workspaces()
                        .createUninitialized(ArrayType.ACTIVATIONS, DataType.FLOAT, shape, 'c');
        INDArray last = x.permute(order);
        INDArray result = y.permute(order);
        float[] values = known.values(RowMajor.floats(last), scale());
        RowMajor.copyInto(values, result);
        // DL4J's functions go along the last dimension.
        INDArray finished = OutputFunctions.infer(function(), result);
        if (finished != result) {
            result.assign(finished);
        }
        if (mask != null && y.rank() == 2) {
            y.muliColumnVector(mask);
        }
        return List.of(rounded(y));
    }

    /* One axis becomes the last; the same permutation of two axes undoes it. */
    private static int[] order(int rank, int axis) {
        int[] order = new int[rank];
        for (int i = 0; i < rank; i++) {
            order[i] = i;
        }
        order[axis] = rank - 1;
        order[rank - 1] = axis;
        return order;
    }

    private INDArray rounded(INDArray y) {
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        if (output != null) {
            FakeQuantizer.of(output.range(), output.zeroPoint(), Estimator.STE, Channels.NONE)
                    .forward(y, Nd4j.scalar(y.dataType(), output.scale()), y);
        }
        return y;
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        if (arithmetic.rowAxis() < 0) {
            return withoutRows(layer);
        }
        if (tensors.type() != DataType.FLOAT) {
            return FloatLayers.inOtherType(tensors.type());
        }
        return product == null
                ? FloatLayers.because(layer, "its weights are not rounded to integers")
                : null;
    }

    /** {@return the refusal of a layer that cannot find scales at run time} */
    private static IntegerSupport.Refusal withoutRows(Layer layer) {
        return IntegerSupport.refused(
                "the scales of its input are to be found at run time, and this "
                        + layer.getClass().getSimpleName()
                        + " has no integer form of that",
                "give it a scheme that is calibrated, such as LayerScheme.INT8");
    }

    @Override
    public MaskUse maskUse() {
        return arithmetic.maskUse();
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String input = values(graph, inputs.get(0));
        int axis = arithmetic.rowAxis() - 1;
        DynamicProduct known = Objects.requireNonNull(product, "product");
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        NodeEmitter computed = output == null ? graph : graph.part("values");
        Signal result =
                LastFunctions.emit(
                        computed,
                        function(),
                        arithmetic.isSequence() && axis == 0,
                        name ->
                                new DynamicDense(
                                        name, input, axis, known.weights(), known.bias(), scale()));
        if (output == null) {
            return List.of(result);
        }
        Signal.Values values = (Signal.Values) result;
        String node = graph.valuesToRound(values, graph.type(values.node()).shape());
        return List.of(new Signal.Codes(graph.add(new Quantize(graph.name(), node, output))));
    }

    private String values(NodeEmitter graph, Signal input) {
        if (!(input instanceof Signal.Values values)) {
            return graph.add(new Dequantize(graph.inner("input"), graph.codes(input)));
        }
        return values.layer() == null ? graph.values(values, inputShape()) : graph.computed(values);
    }

    /* That of a vector is known before anything has run. */
    private Shape inputShape() {
        return arithmetic.isSequence()
                ? tensors.inputShape()
                : Shape.of(Objects.requireNonNull(product).weights().weightsPerChannel());
    }
}
