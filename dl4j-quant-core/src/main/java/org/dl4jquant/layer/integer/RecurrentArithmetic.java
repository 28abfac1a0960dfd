// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.params.LSTMParamInitializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.numeric.recurrent.Cell;
import org.dl4jquant.numeric.recurrent.GateTables;
import org.dl4jquant.numeric.recurrent.Recurrence;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** One recurrence of a layer in integers: the layer itself, or one of its two directions. */
final class RecurrentArithmetic {

    private static final int LSTM_BLOCKS = 4;

    private final BaseRecurrentLayer layer;
    private final LayerTensors tensors;
    private final Direction direction;

    private float[] seen = new float[0];
    private @Nullable Integers known;

    /**
     * Which of a layer's recurrences.
     *
     * @param prefix of its parameters' names
     * @param role its hidden state
     * @param reverse whether the last step comes first
     */
    record Direction(String prefix, TensorRole role, boolean reverse) {
        /** The only one. */
        static final Direction ONLY = new Direction("", TensorRole.HIDDEN, false);
    }

    /**
     * The integers of a recurrence.
     *
     * @param cell the arithmetic of a unit
     * @param input the weights of the input
     * @param hidden the weights of the hidden state
     * @param codes how the codes of the input stand for values
     * @param state how the codes of the hidden state stand for values
     */
    record Integers(
            Cell cell,
            WeightTensor input,
            WeightTensor hidden,
            QuantParams codes,
            QuantParams state) {

        Recurrence recurrence(boolean reverse) {
            return new Recurrence(cell, input, codes, hidden, state, reverse);
        }
    }

    RecurrentArithmetic(BaseRecurrentLayer layer, LayerTensors tensors, Direction direction) {
        this.layer = layer;
        this.tensors = tensors;
        this.direction = direction;
    }

    /**
     * {@return the refusal of the layer's activation functions; null if tables hold them}
     *
     * @param layer its configuration
     */
    static IntegerSupport.@Nullable Refusal refusal(BaseRecurrentLayer layer) {
        if (!(layer instanceof AbstractLSTM lstm)) {
            return function(layer.getActivationFn()).isPresent()
                    ? null
                    : FloatLayers.unknownFunction(layer.getActivationFn());
        }
        if (function(lstm.getGateActivationFn()).filter(GateTables::isGate).isEmpty()) {
            return IntegerSupport.refused(
                    "the function of its gates, "
                            + lstm.getGateActivationFn().getClass().getSimpleName()
                            + ", has values that are not known to lie between 0 and 1",
                    "use SIGMOID or HARDSIGMOID as its gate activation function");
        }
        return function(layer.getActivationFn()).filter(GateTables::isBounded).isPresent()
                ? null
                : IntegerSupport.refused(
                        "its activation function "
                                + layer.getActivationFn().getClass().getSimpleName()
                                + " has values that are not known to lie between -1 and 1",
                        "use TANH, HARDTANH, RECTIFIEDTANH, SOFTSIGN, SIGMOID or HARDSIGMOID");
    }

    private static Optional<ElementwiseFunction> function(IActivation activation) {
        return PointwiseActivation.of(activation).map(PointwiseActivation::elementwise);
    }

    /** {@return the tensor that is not rounded to integers; null if all are} */
    @Nullable String notInIntegers() {
        if (weight(LSTMParamInitializer.INPUT_WEIGHT_KEY) == null
                || weight(LSTMParamInitializer.RECURRENT_WEIGHT_KEY) == null) {
            return "its weights are not rounded to integers";
        }
        if (tensors.input(0) == null) {
            return "its input is not rounded to integers";
        }
        return tensors.codes(direction.role()) == null
                ? "its hidden state is not rounded to integers"
                : null;
    }

    private @Nullable CodeRounder weight(String key) {
        return tensors.weight(direction.prefix() + key);
    }

    Direction direction() {
        return direction;
    }

    /** {@return the integers, now} */
    Integers integers() {
        float[] now = RowMajor.floats(Objects.requireNonNull(tensors.view()));
        QuantParams codes = Objects.requireNonNull(tensors.input(0));
        Integers last = known;
        if (last != null && last.codes().equals(codes) && Arrays.equals(seen, now)) {
            return last;
        }
        Integers fresh = fold(codes, Objects.requireNonNull(tensors.codes(direction.role())));
        seen = now;
        known = fresh;
        return fresh;
    }

    private Integers fold(QuantParams codes, QuantParams state) {
        INDArray recurrent = rounded(LSTMParamInitializer.RECURRENT_WEIGHT_KEY);
        long units = recurrent.size(0);
        boolean lstm = layer instanceof AbstractLSTM;
        long rows = lstm ? LSTM_BLOCKS * units : units;
        INDArray bias = parameter(LSTMParamInitializer.BIAS_KEY);
        WeightTensor input =
                fold(
                        LSTMParamInitializer.INPUT_WEIGHT_KEY,
                        rounded(LSTMParamInitializer.INPUT_WEIGHT_KEY),
                        0,
                        codes,
                        RowMajor.floats(bias));
        String key = LSTMParamInitializer.RECURRENT_WEIGHT_KEY;
        WeightTensor hidden = fold(key, columns(recurrent, 0, rows), 0, state, null);
        ElementwiseFunction function = function(layer.getActivationFn()).orElseThrow();
        Cell cell;
        if (!lstm) {
            cell = new Cell.Elman(function);
        } else {
            ElementwiseFunction gate =
                    function(((AbstractLSTM) layer).getGateActivationFn()).orElseThrow();
            cell =
                    recurrent.size(1) == rows
                            ? new Cell.Lstm(gate, function)
                            : new Cell.PeepholeLstm(
                                    gate,
                                    function,
                                    fold(
                                            key,
                                            columns(recurrent, rows, recurrent.size(1)),
                                            Math.toIntExact(rows),
                                            state,
                                            null));
        }
        return new Integers(cell, input, hidden, codes, state);
    }

    private static INDArray columns(INDArray matrix, long from, long to) {
        return matrix.get(NDArrayIndex.all(), NDArrayIndex.interval(from, to));
    }

    private INDArray rounded(String key) {
        return Objects.requireNonNull(weight(key)).beforeRounding(parameter(key));
    }

    private INDArray parameter(String key) {
        String name = direction.prefix() + key;
        return Objects.requireNonNull(tensors.parameters().get(name), name);
    }

    /* DL4J's matrices are [in, out]; columns are counted from the first one. */
    private WeightTensor fold(
            String key, INDArray columns, int first, QuantParams codes, float @Nullable [] bias) {
        WeightCodes rounding = new WeightCodes(Objects.requireNonNull(weight(key)));
        int rows = Math.toIntExact(columns.size(1));
        Shape shape = Shape.of(rows, Math.toIntExact(columns.size(0)));
        float[] scales = rounding.scales();
        return new IntegerFold(
                        shape,
                        rounding.range(),
                        rounding.of(RowMajor.floats(columns.transpose()), shape, first),
                        scales.length == 1
                                ? scales
                                : Arrays.copyOfRange(scales, first, first + rows),
                        bias,
                        null)
                .fold(codes);
    }

    /**
     * {@return the node}
     *
     * @param name its name
     * @param input the codes of the sequence
     * @param mask the input that says which steps count; empty if all do
     */
    Recurrent node(String name, String input, Optional<String> mask) {
        Integers integers = integers();
        return new Recurrent(
                name,
                Recurrent.Reads.of(input, mask),
                integers.cell(),
                integers.input(),
                integers.hidden(),
                integers.state(),
                direction.reverse());
    }

    /**
     * {@return the mask that the layer obeys}
     *
     * @param graph knows it
     * @param input the codes of the sequence
     * @param set whether a wrapper sets it on the layer: DL4J's LSTM lets a mask that arrives pass,
     *     and its SimpleRnn obeys it
     */
    Optional<String> mask(NodeEmitter graph, String input, boolean set) {
        return set || !(layer instanceof AbstractLSTM)
                ? graph.mask(graph.type(input).shape().size(1))
                : Optional.empty();
    }

    /** {@return the run over a batch of sequences} */
    SequenceRun run() {
        return new SequenceRun(integers(), direction.reverse());
    }

    /**
     * Checks a batch of sequences.
     *
     * @param x [examples, features, steps]
     */
    void requireFits(INDArray x) {
        long inputs = parameter(LSTMParamInitializer.INPUT_WEIGHT_KEY).size(0);
        Require.argument(
                x.rank() == 3 && x.size(1) == inputs && x.size(2) > 0,
                "layer \"%s\" reads sequences of shape [examples, %d, steps] with one step or"
                        + " more, but its input has the shape %s",
                tensors.name(),
                inputs,
                Arrays.toString(x.shape()));
    }
}
