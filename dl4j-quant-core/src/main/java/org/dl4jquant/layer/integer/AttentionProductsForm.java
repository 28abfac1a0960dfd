// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.MoveByMask;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a vertex that weighs values by the attention of queries to keys, all three codes,
 * whose result a layer after it rounds. It has no weights of its own: the layers before it project
 * queries, keys and values, each for all heads at once.
 */
public final class AttentionProductsForm implements IntegerForm {

    /** The probabilities' codes: 8 bits over [0, 1), whatever the widths of the factors. */
    public static final QuantParams PROBABILITIES =
            new QuantParams(1f / 256, 0, CodeRange.unsigned(CodeRange.MAX_BITS));

    private static final int SEQUENCE_RANK = 2;

    private final int heads;
    private final LayerTensors tensors;

    private AttentionProductsForm(int heads, LayerTensors tensors) {
        this.heads = heads;
        this.tensors = tensors;
    }

    /**
     * Returns the support of such a vertex.
     *
     * @param heads how many heads share the features of queries, keys and values
     * @return a form
     */
    public static IntegerSupport of(int heads) {
        return IntegerSupport.of(tensors -> new AttentionProductsForm(heads, tensors));
    }

    /**
     * Returns the support of a vertex with projections of its own, which {@code prepare} takes
     * apart unless it stays in float.
     *
     * @return a form that refuses what was left whole
     */
    public static IntegerSupport whole() {
        return IntegerSupport.of(
                tensors ->
                        new RefusedForm(
                                FloatLayers.because(
                                        "AttentionVertex",
                                        "its projections are not rounded to integers")));
    }

    /**
     * Returns the form of a running vertex.
     *
     * @param heads the number of heads
     * @param tensors its three inputs, and the result of the layer that rounds it
     * @return the form
     */
    public static AttentionProductsForm of(int heads, LayerTensors tensors) {
        return new AttentionProductsForm(heads, Require.given(tensors, "tensors"));
    }

    // ---- in the network
    // --------------------------------------------------------------------------

    /* Float64 has no integer form, and while training goes on in float or half precision there are
     * no codes. NaN anywhere in an example makes all of its weights NaN, or its values. */
    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        QuantParams result = tensors.codes(TensorRole.OUTPUT);
        if (result == null || tensors.type() != DataType.FLOAT || !areCodes(inputs.size())) {
            return List.of();
        }
        int examples = Math.toIntExact(inputs.get(0).size(0));
        boolean[] lost = new boolean[examples];
        CodeMatrices queries = matrices(inputs, 0, lost);
        CodeMatrices keys = matrices(inputs, 1, lost);
        CodeMatrices values = matrices(inputs, 2, lost);
        boolean @Nullable [] counted =
                SelfAttentionForm.keys(call.mask(), examples, keys.columns());
        CodeMatrices probabilities =
                queries.transposed().weighing(keys, counted, heads, PROBABILITIES);
        float[] weighed = values.times(probabilities.transposed(), result).toFloats();
        SelfAttentionForm.lose(weighed, lost);
        INDArray joined = call.inFloat().get();
        RowMajor.copyInto(weighed, joined);
        return List.of(joined);
    }

    private boolean areCodes(int inputs) {
        for (int i = 0; i < inputs; i++) {
            if (tensors.input(i) == null) {
                return false;
            }
        }
        return true;
    }

    private CodeMatrices matrices(List<INDArray> inputs, int index, boolean[] lost) {
        INDArray x = inputs.get(index);
        float[] values = RowMajor.floats(x);
        SelfAttentionForm.findLost(values, lost);
        QuantParams params = Require.given(tensors.input(index), "params");
        return CodeMatrices.of(
                values, Math.toIntExact(x.size(1) / heads), Math.toIntExact(x.size(2)), params);
    }

    /* With one mask for queries, keys and values; with several the walk refuses the vertex. */
    @Override
    public MaskUse maskUse() {
        return MaskUse.UNDERSTOOD;
    }

    // ---- in a graph
    // ------------------------------------------------------------------------------

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        String queries = headed(graph, inputs.get(0), "queries");
        String keys = headed(graph, inputs.get(1), "keys");
        String values = headed(graph, inputs.get(2), "values");
        Optional<String> mask = graph.mask(graph.type(keys).shape().size(2));
        String weights =
                graph.add(
                        new AttentionWeights(
                                graph.inner("weights"),
                                turned(graph, queries, "queries_turned"),
                                keys,
                                PROBABILITIES,
                                mask));
        String columns = turned(graph, weights, "weights_turned");
        return List.of(
                new Signal.Unrounded(
                        graph.step(),
                        (name, output) -> {
                            String part = graph.inner("weighed");
                            String weighed = graph.add(new MatMul(part, values, columns, output));
                            return mask.isPresent()
                                    ? masked(graph, name, weighed, mask.get())
                                    : joined(graph, name, weighed);
                        }));
    }

    /* The same mask hides keys and queries: steps that do not count have the result 0. */
    private static IntNode masked(NodeEmitter graph, String name, String weighed, String mask) {
        String joined = graph.add(joined(graph, graph.inner("joined"), weighed));
        return new MoveByMask(name, joined, mask, MoveByMask.Choice.ZERO);
    }

    private static Reshape joined(NodeEmitter graph, String name, String weighed) {
        Shape shape = graph.type(weighed).shape();
        return new Reshape(name, weighed, Shape.of(shape.size(0) * shape.size(1), shape.size(2)));
    }

    private String headed(NodeEmitter graph, Signal input, String part) {
        String codes = graph.codes(input);
        Shape shape = graph.type(codes).shape();
        if (shape.rank() != SEQUENCE_RANK || shape.size(0) % heads != 0) {
            throw new IntegerRefusal(
                    "its "
                            + part
                            + " are "
                            + shape
                            + ", where it takes sequences [size, steps] whose"
                            + " size is a multiple of its "
                            + heads
                            + " heads",
                    "put a preprocessor or a ReshapeVertex before it");
        }
        return graph.add(
                new Reshape(
                        graph.inner(part),
                        codes,
                        Shape.of(heads, shape.size(0) / heads, shape.size(1))));
    }

    /** {@return the node of codes with their last two axes exchanged} */
    static String turned(NodeEmitter graph, String codes, String part) {
        Shape shape = graph.type(codes).shape();
        return graph.add(
                Move.of(graph.inner(part), codes, IndexMap.permute(shape, List.of(0, 2, 1))));
    }
}
