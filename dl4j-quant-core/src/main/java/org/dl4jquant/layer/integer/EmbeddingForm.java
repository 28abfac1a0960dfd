// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Lookup;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeRows;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of embeddings: a row of codes for each index. Each row is made once of the rounded
 * weights, the bias and the activation function, and rounded as the layer's result.
 */
public final class EmbeddingForm implements IntegerForm {

    /* DL4J's own layer looks the rows up, on a twin without bias and function that holds their
     * values: shapes, formats and masks are its. */

    private static final String ROWS = "rows";

    private final FeedForwardLayer layer;
    private final LayerTensors tensors;
    private final BiFunction<NodeEmitter, Rows, String> shaped;
    private final @Nullable PointwiseActivation function;
    private final @Nullable CodeRounder rounder;
    private final @Nullable INDArray view;
    private @Nullable Layer twin;
    private float[] seen = new float[0];
    private @Nullable CodeRows rows;
    private @Nullable QuantParams rounded;

    /** The rows of one example, [indices ..., width], on their way to the shape of the result. */
    private record Rows(String indices, CodeRows table, QuantParams params, Shape shape) {

        String lookUp(NodeEmitter graph, String name) {
            return graph.add(new Lookup(name, indices, table, params));
        }
    }

    private EmbeddingForm(
            FeedForwardLayer layer,
            LayerTensors tensors,
            BiFunction<NodeEmitter, Rows, String> shaped) {
        this.layer = layer;
        this.tensors = tensors;
        this.shaped = shaped;
        this.function = PointwiseActivation.of(layer.getActivationFn()).orElse(null);
        this.rounder = tensors.weight(DefaultParamInitializer.WEIGHT_KEY);
        this.view = tensors.view();
    }

    /**
     * Returns the support of an embedding.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(EmbeddingLayer layer) {
        Require.given(layer, "layer");
        return IntegerSupport.of(
                tensors -> new EmbeddingForm(layer, tensors, EmbeddingForm::oneRow));
    }

    /**
     * Returns the support of an embedding of sequences.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(EmbeddingSequenceLayer layer) {
        boolean timeLast = Require.given(layer, "layer").getOutputFormat() == RNNFormat.NCW;
        return IntegerSupport.of(
                tensors ->
                        new EmbeddingForm(
                                layer,
                                tensors,
                                timeLast ? EmbeddingForm::timeLast : EmbeddingForm::timeFirst));
    }

    private static String oneRow(NodeEmitter graph, Rows rows) {
        if (rows.shape().elements() != 1) {
            throw new IntegerRefusal(
                    "it reads " + rows.shape() + ", where it takes one index for an example",
                    "use an EmbeddingSequenceLayer for several indices");
        }
        String found = rows.lookUp(graph, graph.inner(ROWS));
        return graph.add(new Reshape(graph.name(), found, Shape.of(rows.table().width())));
    }

    private static String timeLast(NodeEmitter graph, Rows rows) {
        String found = rows.lookUp(graph, graph.inner(ROWS));
        Shape steps = Shape.of(rows.shape().elements(), rows.table().width());
        return graph.add(Move.of(graph.name(), found, IndexMap.permute(steps, List.of(1, 0))));
    }

    private static String timeFirst(NodeEmitter graph, Rows rows) {
        if (rows.shape().rank() == 1) {
            return rows.lookUp(graph, graph.name());
        }
        String found = rows.lookUp(graph, graph.inner(ROWS));
        Shape steps = Shape.of(rows.shape().elements(), rows.table().width());
        return graph.add(new Reshape(graph.name(), found, steps));
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        if (obstacle() != null) {
            return List.of();
        }
        Layer values = twin();
        values.setMaskArray(call.mask());
        values.setInput(inputs.get(0), call.workspaces());
        INDArray found =
                IndexLookup.run(
                        tensors.name(), layer, values, inputs.get(0), false, call.workspaces());
        values.clear();
        return List.of(found);
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        if (!tensors.isQuantized()) {
            return FloatLayers.leftInFloat(layer);
        }
        if (tensors.type() != DataType.FLOAT) {
            return FloatLayers.inOtherType(tensors.type());
        }
        if (rounder == null || view == null) {
            return FloatLayers.because(layer, "its weights are not rounded to integers");
        }
        if (tensors.codes(TensorRole.OUTPUT) == null) {
            return FloatLayers.because(layer, "its result is not rounded to integers");
        }
        return function == null ? FloatLayers.unknownFunction(layer.getActivationFn()) : null;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        if (!(inputs.get(0) instanceof Signal.Values values)) {
            throw new IntegerRefusal(
                    "it reads codes, where it takes indices",
                    "let it read an input of the network that nothing rounds");
        }
        Shape indices = tensors.inputShape();
        String node = graph.valuesToRound(values, indices);
        return List.of(
                new Signal.Codes(shaped.apply(graph, new Rows(node, rows(), params(), indices))));
    }

    private QuantParams params() {
        return Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT));
    }

    /* The comparison is by content, so that no write to a parameter goes unnoticed. */
    private CodeRows rows() {
        float[] now = RowMajor.floats(Objects.requireNonNull(view));
        QuantParams output = params();
        CodeRows last = rows;
        if (last != null && output.equals(rounded) && Arrays.equals(seen, now)) {
            return last;
        }
        CodeRows fresh = CodeRows.of(Math.toIntExact(layer.getNOut()), containers(output));
        twin = null;
        seen = now;
        rounded = output;
        rows = fresh;
        return fresh;
    }

    private byte[] containers(QuantParams output) {
        String lost = NonFinite.firstName(tensors.parameters());
        Require.state(
                lost == null,
                "layer \"%s\": its parameter \"%s\" is NaN or infinite, and no integer stands for"
                        + " that; %s",
                tensors.name(),
                String.valueOf(lost),
                CodedWeights.REMEDY);
        CodeRounder weights = Objects.requireNonNull(rounder);
        PointwiseActivation applied = Objects.requireNonNull(function);
        INDArray outputFirst = weights.beforeRounding(parameter()).transpose();
        int count = Math.toIntExact(layer.getNIn());
        int width = Math.toIntExact(layer.getNOut());
        WeightCodes known = new WeightCodes(weights);
        int[] codes = known.of(RowMajor.floats(outputFirst), Shape.of(width, count));
        float[] scales = known.scales();
        INDArray shift = tensors.parameters().get(DefaultParamInitializer.BIAS_KEY);
        float[] bias = shift == null ? new float[width] : RowMajor.floats(shift);
        CodeRange bounds = applied.bounds(output);
        byte[] containers = new byte[codes.length];
        for (int i = 0; i < codes.length; i++) {
            int channel = i / count;
            float value = codes[i] * scales[scales.length == 1 ? 0 : channel] + bias[channel];
            containers[i % count * width + channel] =
                    (byte) bounds.clamp(output.quantize(applied.apply(value)));
        }
        return containers;
    }

    private INDArray parameter() {
        return Objects.requireNonNull(tensors.parameters().get(DefaultParamInitializer.WEIGHT_KEY));
    }

    private Layer twin() {
        CodeRows table = rows();
        Layer ready = twin;
        if (ready != null) {
            return ready;
        }
        FeedForwardLayer plain = (FeedForwardLayer) layer.clone();
        plain.setActivationFn(new ActivationIdentity());
        Layer made = tensors.instantiate(plain);
        QuantParams output = params();
        byte[] containers = table.containers();
        float[] values = new float[containers.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = output.dequantize(output.range().decode(containers[i]));
        }
        RowMajor.copyInto(values, made.getParam(DefaultParamInitializer.WEIGHT_KEY));
        twin = made;
        return made;
    }
}
