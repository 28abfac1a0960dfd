// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.numeric.recurrent.Cell;
import org.dl4jquant.numeric.recurrent.Recurrence;

/**
 * A recurrent layer over all steps of a sequence; its result are the hidden states. A step that the
 * mask hides leaves the state 0, as in DL4J.
 *
 * @param name the node's name
 * @param reads the sequence, and what else it reads
 * @param cell the arithmetic of a unit in each step
 * @param inputWeights [blocks * units, in], with the bias
 * @param hiddenWeights [blocks * units, units], whose bias is 0
 * @param params how the codes of the hidden state stand for values
 * @param reverse whether the last step comes first
 */
public record Recurrent(
        String name,
        Reads reads,
        Cell cell,
        WeightTensor inputWeights,
        WeightTensor hiddenWeights,
        QuantParams params,
        boolean reverse)
        implements IntNode {

    /**
     * The results that a recurrent layer reads.
     *
     * @param sequence codes [in, steps]
     * @param mask an input of the graph [steps], 1 where a step counts and 0 where not; empty if
     *     all count
     * @param before the state before the first step; empty if it is 0
     */
    public record Reads(String sequence, Optional<String> mask, Optional<State> before) {
        /** Checks that the parts are there. */
        public Reads {
            Objects.requireNonNull(sequence, "sequence");
            Objects.requireNonNull(mask, "mask");
            Objects.requireNonNull(before, "before");
        }

        /**
         * {@return a sequence from the state 0}
         *
         * @param sequence codes [in, steps]
         * @param mask an input of the graph [steps]; empty if all steps count
         */
        public static Reads of(String sequence, Optional<String> mask) {
            return new Reads(sequence, mask, Optional.empty());
        }

        /**
         * {@return a sequence all of whose steps count}
         *
         * @param sequence codes [in, steps]
         */
        public static Reads all(String sequence) {
            return of(sequence, Optional.empty());
        }

        private List<String> names() {
            List<String> names = new ArrayList<>(NodeChecks.withMask(sequence, mask));
            before.ifPresent(
                    state -> {
                        names.add(state.hidden());
                        state.memory().ifPresent(names::add);
                    });
            return List.copyOf(names);
        }
    }

    /**
     * The state before the first step.
     *
     * @param hidden codes of the hidden state [units], which stand for values as the node's do
     * @param memory an input of the graph [units]: the memory as values, which are rounded to its
     *     codes; empty for cells without a memory
     */
    public record State(String hidden, Optional<String> memory) {
        /** Checks that the parts are there. */
        public State {
            Objects.requireNonNull(hidden, "hidden");
            Objects.requireNonNull(memory, "memory");
        }
    }

    private static final int SEQUENCE_RANK = 2;

    /* The largest accumulator, times a larger multiplier, might be infinite in float32. */
    private static final float MOST_MULTIPLIER = Float.MAX_VALUE * 0x1p-33f;

    /** Checks that the weights fit each other. */
    public Recurrent {
        NodeChecks.requireName(name);
        Objects.requireNonNull(reads, "reads");
        Objects.requireNonNull(params, "params");
        requireWeights(name, cell, inputWeights, hiddenWeights);
    }

    private static void requireWeights(
            String name, Cell cell, WeightTensor inputWeights, WeightTensor hiddenWeights) {
        Require.argument(
                inputWeights.shape().rank() == 2 && hiddenWeights.shape().rank() == 2,
                "recurrent '%s': weights %s and %s must be matrices [out, in]",
                name,
                inputWeights.shape(),
                hiddenWeights.shape());
        int units = hiddenWeights.shape().size(1);
        long rows = (long) cell.blocks() * units;
        Require.argument(
                inputWeights.channels() == rows && hiddenWeights.channels() == rows,
                "recurrent '%s': weights %s and %s do not fit %d units with %d sums each",
                name,
                inputWeights.shape(),
                hiddenWeights.shape(),
                units,
                cell.blocks());
        for (int row = 0; row < rows; row++) {
            Require.argument(
                    hiddenWeights.bias(row) == 0,
                    "recurrent '%s': the weights of its hidden state have the bias %d in row %d;"
                            + " the bias belongs to those of its input",
                    name,
                    hiddenWeights.bias(row),
                    row);
        }
        if (cell instanceof Cell.PeepholeLstm lstm) {
            Require.argument(
                    lstm.peepholes().weightsPerChannel() == units,
                    "recurrent '%s': peepholes %s do not fit %d units",
                    name,
                    lstm.peepholes().shape(),
                    units);
        }
    }

    /** {@return how many units there are} */
    public int units() {
        return hiddenWeights.shape().size(1);
    }

    /** {@return the arithmetic of one step after the other} */
    public Recurrence recurrence(QuantParams codes) {
        return new Recurrence(cell, inputWeights, codes, hiddenWeights, params, reverse);
    }

    /** {@return the codes of the sequence that it reads} */
    public String input() {
        return reads.sequence();
    }

    @Override
    public Optional<String> mask() {
        return reads.mask();
    }

    @Override
    public List<String> inputs() {
        return reads.names();
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        String input = input();
        TensorType type = inputs.codes(this, input);
        int in = inputWeights.shape().size(1);
        Require.argument(
                type.shape().rank() == SEQUENCE_RANK && type.shape().size(0) == in,
                "recurrent '%s': '%s' has shape %s; its weights are for sequences [%d, steps]",
                name,
                input,
                type.shape(),
                in);
        inputs.requireMask(this, type.shape().size(1));
        reads.before().ifPresent(state -> requireState(state, inputs));
        requireComputable(inputWeights, type.codes());
        requireComputable(hiddenWeights, params);
        NodeChecks.inNode(this, () -> cell.arithmetic(params));
        return new TensorType(Shape.of(units(), type.shape().size(1)), params);
    }

    private void requireState(State state, NodeInputs inputs) {
        TensorType before = inputs.codes(this, state.hidden());
        Require.argument(
                before.shape().equals(Shape.of(units())) && before.codes().equals(params),
                "recurrent '%s': the state '%s' is %s of codes %s; it must be [%d] of codes %s",
                name,
                state.hidden(),
                before.shape(),
                before.codes(),
                units(),
                params);
        Require.argument(
                state.memory().isPresent() == cell.remembers(),
                "recurrent '%s': a state has a memory if the cell has one, and else none",
                name);
        state.memory()
                .ifPresent(
                        memory ->
                                Require.argument(
                                        inputs.isFromOutside(memory)
                                                && inputs.type(memory)
                                                        .shape()
                                                        .equals(Shape.of(units())),
                                        "recurrent '%s': the memory '%s' must be an input of shape"
                                                + " [%d]",
                                        name,
                                        memory,
                                        units()));
    }

    private void requireComputable(WeightTensor weights, QuantParams codes) {
        NodeChecks.requireComputable(this, weights, codes, new Output.Floats());
        float step = cell.sumStep(params);
        for (int row = 0; row < weights.channels(); row++) {
            float multiplier = Recurrence.multiplier(codes, weights.scale(row), step);
            Require.argument(
                    multiplier <= MOST_MULTIPLIER,
                    "recurrent '%s': the scales of row %d give the multiplier %s, so that its sums"
                            + " may be infinite; choose scales nearer to each other",
                    name,
                    row,
                    multiplier);
        }
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        return FreeSteps.steps(this, inputs);
    }

    @Override
    public String kind() {
        return "Recurrent";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
