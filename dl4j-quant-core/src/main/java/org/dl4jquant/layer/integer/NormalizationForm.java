// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a batch normalization that no layer before it takes in: a table of codes for each
 * channel, of its line and the activation function after it.
 */
final class NormalizationForm implements IntegerForm {

    /* A table is the exactly rounded line, where a depthwise convolution would round the factor to 8
     * bits first, and the function after it needs no codes of its argument. */

    private static final String TYPE = "BatchNormalization";

    /** The axis of channels of images and vectors in DL4J's usual formats. */
    private static final int CHANNELS_FIRST = 1;

    private final LayerTensors tensors;
    private final @Nullable PointwiseActivation function;

    private final TableCache cache = new TableCache();

    NormalizationForm(LayerTensors tensors) {
        this.tensors = tensors;
        this.function = PointwiseActivation.of(tensors.function()).orElse(null);
    }

    /**
     * {@return the support of a batch normalization that is a layer}
     *
     * @param support that of the layer that holds it once it has quantizers
     */
    static IntegerSupport support(IntegerSupport.Supported support) {
        return IntegerSupport.of(
                tensors ->
                        tensors.isQuantized()
                                ? support.maker().apply(tensors)
                                : new RefusedForm(FloatLayers.withoutCodes(TYPE)));
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        INDArray x = inputs.get(0);
        int axis = tensors.normalizedAxis();
        if (obstacle() != null || axis >= x.rank()) {
            return List.of();
        }
        ChannelTables tables = tables();
        if (x.size(axis) != tables.tables().size()) {
            return List.of();
        }
        INDArray y =
                call.workspaces()
                        .createUninitialized(
                                ArrayType.ACTIVATIONS, x.dataType(), x.shape(), x.ordering());
        long run =
                Arrays.stream(x.shape()).skip(axis + 1L).reduce(1, (left, right) -> left * right);
        tables.values(x, Math.toIntExact(run), y);
        return List.of(y);
    }

    private ChannelTables tables() {
        ChannelLine line = Objects.requireNonNull(tensors.normalization(), "normalization");
        return cache.tables(
                DoubleStream.concat(DoubleStream.of(line.factors()), DoubleStream.of(line.shifts()))
                        .toArray(),
                () -> functions(line),
                Objects.requireNonNull(tensors.input(0), "input"),
                Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT), "output"));
    }

    private List<DoubleUnaryOperator> functions(ChannelLine line) {
        DoubleUnaryOperator after = Objects.requireNonNull(function, "function").values();
        List<DoubleUnaryOperator> functions = new ArrayList<>();
        for (int channel = 0; channel < line.channels(); channel++) {
            double factor = line.factor(channel);
            double shift = line.shift(channel);
            functions.add(value -> after.applyAsDouble(factor * value + shift));
        }
        return functions;
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        if (tensors.codes(TensorRole.OUTPUT) == null) {
            return FloatLayers.because(TYPE, "its result is not rounded to integers");
        }
        if (tensors.input(0) == null) {
            return FloatLayers.because(TYPE, "its input is not rounded to integers");
        }
        IActivation after = tensors.function();
        return function == null ? FloatLayers.unknownFunction(after) : null;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        IntegerSupport.Refusal obstacle = obstacle();
        if (obstacle != null) {
            throw obstacle.exception();
        }
        Signal arriving = InputCodes.arriving(graph, tensors, inputs.get(0));
        boolean last = tensors.normalizedAxis() != CHANNELS_FIRST;
        String codes = last ? graph.channelsFirst(arriving) : graph.codes(arriving);
        Shape example = graph.type(codes).shape();
        ChannelTables tables = tables();
        int channels = tables.tables().size();
        if (channels > ChannelTable.MAX_TABLES) {
            throw new IntegerRefusal(
                    "it has "
                            + channels
                            + " channels, and a node has at most "
                            + ChannelTable.MAX_TABLES
                            + " tables",
                    "put it directly after a convolution or dense layer with identity activation,"
                            + " which takes it in");
        }
        if (example.size(0) != channels) {
            throw new IntegerRefusal(
                    "it normalizes " + channels + " channels, and reads " + example,
                    "give it the format and the number of inputs of the layer before it");
        }
        return List.of(new Signal.Codes(graph.add(tables.node(graph.name(), codes)), last));
    }
}
