// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a dense layer with layer normalization: the products without a bias, rounded to
 * codes; these normalized, {@link Normalization}, with the gains as factors and the bias as what is
 * added; then the activation function.
 */
final class NormalizedDenseForm implements IntegerForm {

    private static final Normalize.Span ROW = Normalize.Span.whole(0, 1);

    private final DenseLayer layer;
    private final LayerTensors tensors;
    private final IntegerForm products;
    private final @Nullable PointwiseActivation function;

    NormalizedDenseForm(DenseLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
        this.products =
                WeightedForm.of(new DenseForm(layer.getNIn(), layer.getNOut(), null), layer)
                        .maker()
                        .apply(new Products(tensors));
        this.function =
                PointwiseActivation.of(tensors.function())
                        .filter(
                                known ->
                                        known.isClamp()
                                                || tensors.codes(TensorRole.PRE_ACTIVATION) != null)
                        .orElse(null);
    }

    private ResultCodes result() {
        return ResultCodes.of(
                Objects.requireNonNull(function, "function"),
                tensors.codes(TensorRole.PRE_ACTIVATION),
                Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT), "output"));
    }

    private QuantParams between() {
        return Objects.requireNonNull(tensors.codes(TensorRole.NORMALIZED), "products");
    }

    /* DL4J adds nothing to the variance. */
    private Normalization formula() {
        return Normalization.ofLayer(
                0,
                Math.toIntExact(layer.getNOut()),
                between().scale(),
                places(DefaultParamInitializer.GAIN_KEY),
                places(DefaultParamInitializer.BIAS_KEY));
    }

    private List<Float> places(String key) {
        INDArray parameter = tensors.parameters().get(key);
        List<Float> places = new ArrayList<>();
        if (parameter != null) {
            for (float value : RowMajor.floats(parameter)) {
                places.add(value);
            }
        }
        return places;
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        boolean finite = NonFinite.firstName(tensors.parameters()) == null;
        if (obstacle() != null || !finite || inputs.get(0).rank() != 2) {
            return List.of();
        }
        List<INDArray> rounded = products.infer(call, inputs);
        if (rounded.isEmpty()) {
            return rounded;
        }
        INDArray y =
                new NormalizedRows(ROW, formula(), between())
                        .rounded(rounded.get(0), result(), call);
        if (call.mask() != null) {
            y.muliColumnVector(call.mask());
        }
        return List.of(y);
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        IntegerSupport.Refusal obstacle = products.obstacle();
        if (obstacle != null) {
            return obstacle;
        }
        if (tensors.codes(TensorRole.NORMALIZED) == null) {
            return FloatLayers.because(
                    layer, "the products that it normalizes are not rounded to integers");
        }
        if (tensors.codes(TensorRole.OUTPUT) == null) {
            return FloatLayers.because(layer, "its result is not rounded to integers");
        }
        return function == null ? FloatLayers.unknownFunction(tensors.function()) : null;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String lost = NonFinite.firstName(tensors.parameters());
        Require.state(
                lost == null,
                "layer \"%s\": its parameter \"%s\" is NaN or infinite, and no integer stands for"
                        + " that; %s",
                tensors.name(),
                String.valueOf(lost),
                CodedWeights.REMEDY);
        Signal.Codes codes = (Signal.Codes) products.emit(graph.part("products"), inputs).get(0);
        return List.of(result().emit(graph, new Rows(codes.node())));
    }

    /** The node of the normalized codes, which applies clamps itself. */
    private final class Rows implements PendingOperation {
        private final String codes;

        Rows(String codes) {
            this.codes = codes;
        }

        @Override
        public IntNode node(String name, Output.Codes output) {
            return new Normalize(name, codes, ROW, formula(), output);
        }

        @Override
        public boolean clamps() {
            return true;
        }
    }

    /** The tensors of the products, whose result is what is normalized. */
    private record Products(LayerTensors whole) implements LayerTensors {

        @Override
        public String name() {
            return whole.name();
        }

        @Override
        public boolean isQuantized() {
            return whole.isQuantized();
        }

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
            return role == TensorRole.OUTPUT ? whole.codes(TensorRole.NORMALIZED) : null;
        }

        @Override
        public boolean isHalf(TensorRole role) {
            return whole.isHalf(TensorRole.NORMALIZED);
        }

        @Override
        public Shape inputShape() {
            return whole.inputShape();
        }

        @Override
        public DataType type() {
            return whole.type();
        }

        @Override
        public Map<String, INDArray> parameters() {
            String key = DefaultParamInitializer.WEIGHT_KEY;
            return Map.of(key, Objects.requireNonNull(whole.parameters().get(key), key));
        }

        @Override
        public @Nullable INDArray view() {
            return whole.view();
        }

        @Override
        public @Nullable CodeRounder weight(String key) {
            return whole.weight(key);
        }

        @Override
        public org.deeplearning4j.nn.api.Layer instantiate(Layer sums) {
            return whole.instantiate(sums);
        }
    }
}
