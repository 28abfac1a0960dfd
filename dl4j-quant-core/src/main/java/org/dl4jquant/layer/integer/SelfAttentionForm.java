// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a sequence's scaled dot-product attention to itself: projections of its codes to
 * queries, keys and values, the weights of each step, the weighed sums of values, and the
 * projection of the heads' joined results. Without projections the sequence is all three.
 */
public final class SelfAttentionForm implements IntegerForm {

    private static final String QUERIES = "Wq";
    private static final String KEYS = "Wk";
    private static final String VALUES = "Wv";
    private static final String OUTPUT = "Wo";
    private static final List<String> WEIGHTS = List.of(QUERIES, KEYS, VALUES, OUTPUT);

    private final SelfAttentionLayer layer;
    private final LayerTensors tensors;
    private final CodedMatrices weights;

    private SelfAttentionForm(SelfAttentionLayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
        this.weights = new CodedMatrices(tensors);
    }

    /**
     * Returns the support of a self-attention.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(SelfAttentionLayer layer) {
        Require.given(layer, "layer");
        return IntegerSupport.of(tensors -> new SelfAttentionForm(layer, tensors));
    }

    private int heads() {
        return layer.isProjectInput() ? layer.getNHeads() : 1;
    }

    private int size() {
        return Math.toIntExact(layer.isProjectInput() ? layer.getHeadSize() : layer.getNIn());
    }

    private QuantParams codes(TensorRole role) {
        return Objects.requireNonNull(tensors.codes(role), role::toString);
    }

    private QuantParams input() {
        return Objects.requireNonNull(tensors.input(0));
    }

    /* [heads, size, n] and, for the last one, [heads * size, outputs]. */
    private WeightTensor weight(String key, QuantParams arriving) {
        return weights.tensor(
                key,
                w ->
                        w.rank() == 2
                                ? w.transpose()
                                : w.reshape('c', w.size(0) * w.size(1), w.size(2)),
                arriving);
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        if (!tensors.isQuantized()) {
            return FloatLayers.leftInFloat(layer);
        }
        if (tensors.type() != DataType.FLOAT) {
            return FloatLayers.inOtherType(tensors.type());
        }
        if (tensors.input(0) == null) {
            return FloatLayers.because(layer, "its input is not rounded to integers");
        }
        boolean projects = layer.isProjectInput();
        if (projects && WEIGHTS.stream().anyMatch(key -> tensors.weight(key) == null)) {
            return FloatLayers.because(layer, "its weights are not rounded to integers");
        }
        boolean inside =
                tensors.codes(TensorRole.PROBABILITY) != null
                        && (!projects
                                || TensorRole.OF_ATTENTION.stream()
                                        .allMatch(role -> tensors.codes(role) != null));
        if (!inside) {
            return FloatLayers.because(
                    layer, "its queries, keys, values or weights are not rounded to integers");
        }
        boolean leaves = projects && !tensors.isHalf(TensorRole.OUTPUT);
        return tensors.codes(TensorRole.OUTPUT) == null && !leaves
                ? FloatLayers.because(layer, "its result is not rounded to integers")
                : null;
    }

    // ---- in the network
    // --------------------------------------------------------------------------

    /* NaN anywhere in a sequence makes all of its weights NaN. */
    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        INDArray x = inputs.get(0);
        if (obstacle() != null || x.rank() != 3 || x.size(1) != layer.getNIn()) {
            return List.of();
        }
        int examples = Math.toIntExact(x.size(0));
        int steps = Math.toIntExact(x.size(2));
        float[] values = RowMajor.floats(x);
        boolean[] lost = new boolean[examples];
        findLost(values, lost);
        CodeMatrices sequence =
                CodeMatrices.of(values, Math.toIntExact(layer.getNIn()), steps, input());
        float[] result = attend(sequence, keys(call.mask(), examples, steps));
        lose(result, lost);
        int length = result.length / examples;
        INDArray y =
                call.workspaces()
                        .create(
                                ArrayType.ACTIVATIONS,
                                DataType.FLOAT,
                                new long[] {examples, length / steps, steps},
                                'c');
        RowMajor.copyInto(result, y);
        return List.of(y);
    }

    /**
     * Notes the examples that hold NaN, and puts 0 in its place.
     *
     * @param values the examples, one after the other; changed
     * @param lost a flag for each; changed
     */
    static void findLost(float[] values, boolean[] lost) {
        int length = values.length / lost.length;
        for (int i = 0; i < values.length; i++) {
            if (Float.isNaN(values[i])) {
                lost[i / length] = true;
                values[i] = 0;
            }
        }
    }

    /**
     * Makes all values of some examples NaN.
     *
     * @param values the examples, one after the other; changed
     * @param lost a flag for each
     */
    static void lose(float[] values, boolean[] lost) {
        int length = values.length / lost.length;
        for (int i = 0; i < values.length; i++) {
            values[i] = lost[i / length] ? Float.NaN : values[i];
        }
    }

    /** {@return whether each key of each example counts; null if all do} */
    static boolean @Nullable [] keys(@Nullable INDArray mask, int examples, int steps) {
        if (mask == null) {
            return null;
        }
        float[] values = RowMajor.floats(mask);
        Require.argument(
                values.length == examples * steps,
                "a mask of %d numbers for %d examples of %d steps",
                values.length,
                examples,
                steps);
        boolean[] keys = new boolean[values.length];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = values[i] != 0;
        }
        return keys;
    }

    private float[] attend(CodeMatrices x, boolean @Nullable [] keys) {
        boolean projects = layer.isProjectInput();
        CodeMatrices queries = projects ? head(x, QUERIES, TensorRole.QUERY) : x;
        CodeMatrices ofKeys = projects ? head(x, KEYS, TensorRole.KEY) : x;
        CodeMatrices ofValues = projects ? head(x, VALUES, TensorRole.VALUE) : x;
        CodeMatrices probabilities =
                queries.transposed().weighing(ofKeys, keys, heads(), codes(TensorRole.PROBABILITY));
        CodeMatrices weighed =
                ofValues.times(
                        probabilities.transposed(),
                        codes(projects ? TensorRole.JOINED : TensorRole.OUTPUT));
        if (!projects) {
            return weighed.toFloats();
        }
        CodeMatrices joined = weighed.reshaped(heads() * size(), x.columns());
        WeightTensor last = weight(OUTPUT, joined.params());
        return tensors.codes(TensorRole.OUTPUT) == null
                ? joined.projectedToFloat(last)
                : joined.projected(last, codes(TensorRole.OUTPUT)).toFloats();
    }

    private CodeMatrices head(CodeMatrices x, String key, TensorRole role) {
        return x.projected(weight(key, input()), codes(role)).reshaped(size(), x.columns());
    }

    /* Keys that a mask hides weigh nothing; the results of all steps stay, and have the mask. */
    @Override
    public MaskUse maskUse() {
        return MaskUse.UNDERSTOOD;
    }

    // ---- in a graph
    // ------------------------------------------------------------------------------

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String x = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        Shape shape = graph.type(x).shape();
        if (shape.rank() != 2) {
            throw new IntegerRefusal(
                    "it reads " + shape + ", where it takes sequences [size, steps]",
                    "put a preprocessor or a ReshapeVertex before it");
        }
        return List.of(
                layer.isProjectInput()
                        ? withProjections(graph, x, shape)
                        : withoutProjections(graph, x, shape));
    }

    private Signal withoutProjections(NodeEmitter graph, String x, Shape shape) {
        String sequence =
                graph.add(
                        new Reshape(
                                graph.inner("heads"),
                                x,
                                Shape.of(1, shape.size(0), shape.size(1))));
        String weighed =
                weighed(
                        graph,
                        sequence,
                        sequence,
                        sequence,
                        graph.inner("weighed"),
                        codes(TensorRole.OUTPUT));
        return new Signal.Codes(graph.add(new Reshape(graph.name(), weighed, shape)));
    }

    private Signal withProjections(NodeEmitter graph, String x, Shape shape) {
        int steps = shape.size(1);
        String image =
                graph.add(new Reshape(graph.inner("image"), x, Shape.of(shape.size(0), 1, steps)));
        String queries = head(graph, image, steps, QUERIES, TensorRole.QUERY, "queries");
        String keys = head(graph, image, steps, KEYS, TensorRole.KEY, "keys");
        String values = head(graph, image, steps, VALUES, TensorRole.VALUE, "values");
        QuantParams params = codes(TensorRole.JOINED);
        String weighed = weighed(graph, queries, keys, values, graph.inner("weighed"), params);
        String joined =
                graph.add(
                        new Reshape(
                                graph.inner("joined"),
                                weighed,
                                Shape.of(heads() * size(), 1, steps)));
        QuantParams result = tensors.codes(TensorRole.OUTPUT);
        WeightTensor last = weight(OUTPUT, params);
        String projected =
                graph.add(
                        projection(
                                graph.inner("projected"),
                                joined,
                                last,
                                result == null ? new Output.Floats() : Output.Codes.of(result)));
        String node =
                graph.add(new Reshape(graph.name(), projected, Shape.of(last.channels(), steps)));
        return result == null ? Signal.Values.of(node, graph.step()) : new Signal.Codes(node);
    }

    private String head(
            NodeEmitter graph, String image, int steps, String key, TensorRole role, String part) {
        String flat =
                graph.add(
                        projection(
                                graph.inner(part),
                                image,
                                weight(key, input()),
                                Output.Codes.of(codes(role))));
        return graph.add(
                new Reshape(graph.inner(part + "_heads"), flat, Shape.of(heads(), size(), steps)));
    }

    private static Convolution projection(
            String name, String input, WeightTensor weights, Output output) {
        Window window = Window.of(Window.Extent.ONE, Window.Extent.ONE);
        return new Convolution(name, input, weights, window, 1, output);
    }

    private String weighed(
            NodeEmitter graph,
            String queries,
            String keys,
            String values,
            String name,
            QuantParams result) {
        String rows = AttentionProductsForm.turned(graph, queries, "queries_turned");
        String weighing =
                graph.add(
                        new AttentionWeights(
                                graph.inner("weights"),
                                rows,
                                keys,
                                codes(TensorRole.PROBABILITY),
                                graph.mask(graph.type(keys).shape().size(2))));
        String columns = AttentionProductsForm.turned(graph, weighing, "weights_turned");
        return graph.add(new MatMul(name, values, columns, Output.Codes.of(result)));
    }
}
