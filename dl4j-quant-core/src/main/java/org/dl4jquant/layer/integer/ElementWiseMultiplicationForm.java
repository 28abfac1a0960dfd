// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a layer that multiplies each feature by a weight of its own and adds a bias: a table
 * of codes for each feature, with the activation function. The weights are rounded; the biases need
 * no rounding.
 */
public final class ElementWiseMultiplicationForm implements IntegerForm {

    private static final int VECTORS_RANK = 2;

    private final ElementWiseMultiplicationLayer layer;
    private final LayerTensors tensors;
    private final @Nullable PointwiseActivation function;
    private final TableCache cache = new TableCache();

    private ElementWiseMultiplicationForm(
            ElementWiseMultiplicationLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
        this.function = PointwiseActivation.of(tensors.function()).orElse(null);
    }

    /**
     * Returns the support of a layer.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(ElementWiseMultiplicationLayer layer) {
        long features = Require.given(layer, "layer").getNIn();
        return features > ChannelTable.MAX_TABLES
                ? IntegerSupport.refused(
                        "it has "
                                + features
                                + " features, and an integer graph has at most "
                                + ChannelTable.MAX_TABLES
                                + " tables in a node",
                        "end the deployed network before it, or design the network without it")
                : IntegerSupport.of(tensors -> new ElementWiseMultiplicationForm(layer, tensors));
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        INDArray x = inputs.get(0);
        if (obstacle() != null || x.rank() != VECTORS_RANK || call.mask() != null) {
            return List.of();
        }
        INDArray y =
                call.workspaces()
                        .createUninitialized(
                                ArrayType.ACTIVATIONS, x.dataType(), x.shape(), x.ordering());
        tables().values(x, 1, y);
        return List.of(y);
    }

    private INDArray parameter(String key) {
        return Objects.requireNonNull(tensors.parameters().get(key), key);
    }

    private ChannelTables tables() {
        String key = DefaultParamInitializer.WEIGHT_KEY;
        float[] weights = TableCache.rounded(tensors, key, parameter(key));
        String biasKey = DefaultParamInitializer.BIAS_KEY;
        float[] biases = TableCache.rounded(tensors, biasKey, parameter(biasKey));
        double[] numbers = new double[2 * weights.length];
        for (int i = 0; i < weights.length; i++) {
            numbers[i] = weights[i];
            numbers[weights.length + i] = biases[i];
        }
        return cache.tables(
                numbers,
                () -> functions(weights, biases),
                Objects.requireNonNull(tensors.input(0), "input"),
                Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT), "output"));
    }

    private List<DoubleUnaryOperator> functions(float[] weights, float[] biases) {
        DoubleUnaryOperator after = Objects.requireNonNull(function, "function").values();
        List<DoubleUnaryOperator> functions = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            double weight = weights[i];
            double bias = biases[i];
            functions.add(value -> after.applyAsDouble(weight * value + bias));
        }
        return functions;
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        if (!tensors.isQuantized()) {
            return FloatLayers.leftInFloat(layer);
        }
        if (tensors.codes(TensorRole.OUTPUT) == null) {
            return FloatLayers.because(layer, "its result is not rounded to integers");
        }
        if (tensors.input(0) == null) {
            return FloatLayers.because(layer, "its input is not rounded to integers");
        }
        return function == null ? FloatLayers.unknownFunction(tensors.function()) : null;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        IntegerSupport.Refusal obstacle = obstacle();
        if (obstacle != null) {
            throw obstacle.exception();
        }
        String codes = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        Shape example = graph.type(codes).shape();
        ChannelTables tables = tables();
        if (example.rank() != 1 || example.size(0) != tables.tables().size()) {
            throw new IntegerRefusal(
                    "it multiplies " + tables.tables().size() + " features, and reads " + example,
                    "give it vectors of as many features as it has inputs");
        }
        return List.of(new Signal.Codes(graph.add(tables.node(graph.name(), codes))));
    }
}
