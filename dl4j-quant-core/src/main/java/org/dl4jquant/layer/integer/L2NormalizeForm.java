// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of the division of each example by its length, which a layer after it rounds.
 *
 * <p>DL4J divides by the length of the whole example only, whatever its configuration says.
 */
public final class L2NormalizeForm implements IntegerForm {

    private final L2NormalizeVertex vertex;
    private final LayerTensors tensors;

    private L2NormalizeForm(L2NormalizeVertex vertex, LayerTensors tensors) {
        this.vertex = vertex;
        this.tensors = tensors;
    }

    /**
     * Returns the support of a vertex.
     *
     * @param vertex its configuration
     * @return a form
     */
    public static IntegerSupport of(L2NormalizeVertex vertex) {
        Require.given(vertex, "vertex");
        return IntegerSupport.of(tensors -> new L2NormalizeForm(vertex, tensors));
    }

    /**
     * Returns the form of a running vertex.
     *
     * @param vertex its configuration
     * @param tensors its input, and the result of the layer that rounds it
     * @return the form
     */
    public static L2NormalizeForm of(L2NormalizeVertex vertex, LayerTensors tensors) {
        return new L2NormalizeForm(
                Require.given(vertex, "vertex"), Require.given(tensors, "tensors"));
    }

    private Normalization formula(QuantParams input) {
        return Normalization.byLength(vertex.getEps(), input.scale());
    }

    private static Normalize.Span span(int rank) {
        return Normalize.Span.whole(0, rank);
    }

    private boolean isWhole(int rank) {
        int[] dimensions = vertex.getDimension();
        return dimensions == null
                || dimensions.length == 0
                || Arrays.equals(
                        Arrays.stream(dimensions).sorted().toArray(),
                        IntStream.rangeClosed(1, rank).toArray());
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        INDArray x = inputs.get(0);
        QuantParams input = tensors.input(0);
        QuantParams output = tensors.codes(TensorRole.OUTPUT);
        Normalize.Span span = span(x.rank() - 1);
        if (input == null
                || output == null
                || tensors.type() != DataType.FLOAT
                || !isWhole(x.rank() - 1)
                || !NormalizedRows.fits(span, x)) {
            return List.of();
        }
        ResultCodes result = ResultCodes.of(PointwiseActivation.IDENTITY, null, output);
        return List.of(new NormalizedRows(span, formula(input), input).rounded(x, result, call));
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal input = inputs.get(0);
        boolean last = input.hasChannelsLast();
        String codes = last ? graph.channelsFirst(input) : graph.codes(input);
        Shape shape = graph.type(codes).shape();
        if (!isWhole(shape.rank())) {
            throw new IntegerRefusal(
                    "it divides by the length along the dimensions "
                            + Arrays.toString(vertex.getDimension())
                            + " of "
                            + shape,
                    "divide by the length of whole examples, as DL4J does without dimensions");
        }
        if (shape.elements() > Normalization.MAX_LENGTH) {
            throw new IntegerRefusal(
                    "it sums the squares of "
                            + shape.elements()
                            + " codes, and an integer graph sums at most "
                            + Normalization.MAX_LENGTH,
                    "put a pool before it");
        }
        return List.of(new Signal.Unrounded(graph.step(), new Division(graph, codes), last));
    }

    /** The node of the quotients, which applies clamps itself. */
    private final class Division implements PendingOperation {
        private final NodeEmitter graph;
        private final String codes;

        Division(NodeEmitter graph, String codes) {
            this.graph = graph;
            this.codes = codes;
        }

        @Override
        public IntNode node(String name, Output.Codes output) {
            Shape shape = graph.type(codes).shape();
            return new Normalize(
                    name, codes, span(shape.rank()), formula(graph.type(codes).codes()), output);
        }

        @Override
        public boolean clamps() {
            return true;
        }
    }
}
