// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import static org.dl4jquant.layer.recurrent.TimeSteps.at;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Map;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** One run of an LSTM over its time steps, with a hidden state that is rounded in between. */
final class LstmPass implements RecurrentPass {

    /* With m examples, n units and T steps, and DL4J's order of the four blocks of n columns:
     *
     *   z = x W + h RW + b                        [m, 4n]: input, forget, output, modulation
     *   c' = forget(z) * c + modulation(z) * input(z)
     *   raw = output(z) * function(c'),  h' = round(raw)
     *
     * With a hidden state in codes, sums, gates and memory are rounded, too, as GateRounding says.
     *
     * GravesLSTM lets the gates see the memory, each unit its own, through the last three columns of
     * its recurrent weights: c is added to the sums of forget and modulation, c' to that of output.
     *
     * and backwards, from the last step on, with u = dL/dh' (from above and from the next step):
     *
     *   d raw = u where raw is not clipped; the scale's gradient is one sum over all steps
     *
     * A mask of 0 sets raw and c' to 0 before the rounding, so that 0 comes back from there. Tensors
     * of all steps are in order 'f', which keeps each step's matrix together. What backward needs
     * stays in the workspace of the activations; without training there is room for one step. */

    private static final int INPUT = 0;
    private static final int FORGET = 1;
    private static final int OUTPUT = 2;
    private static final int MODULATION = 3;
    private static final int BLOCKS = 4;

    /**
     * What an LSTM computes with.
     *
     * @param input the weights of the input, [nIn, 4n]
     * @param recurrent the weights of the hidden state, [n, 4n]
     * @param biases 4n numbers
     * @param function the activation function
     * @param gate the gates' function
     * @param hidden how the hidden state is rounded
     * @param peepholes the weights by which the gates read the memory, [n, 3]: forget, output,
     *     modulation; null if they read none
     */
    record Cell(
            INDArray input,
            INDArray recurrent,
            INDArray biases,
            IActivation function,
            IActivation gate,
            HiddenState hidden,
            @Nullable INDArray peepholes) {

        /** {@return the same, with recurrent weights of [n, 4n] or, with peepholes, [n, 4n + 3]} */
        static Cell of(
                INDArray input,
                INDArray recurrent,
                INDArray biases,
                IActivation function,
                IActivation gate,
                HiddenState hidden) {
            return new Cell(
                    input,
                    states(recurrent),
                    biases,
                    function,
                    gate,
                    hidden,
                    peepholesOf(recurrent));
        }

        /** {@return the columns that belong to the hidden state, not a copy} */
        static INDArray states(INDArray recurrent) {
            long states = BLOCKS * recurrent.size(0);
            return recurrent.size(1) == states
                    ? recurrent
                    : recurrent.get(all(), interval(0, states));
        }

        /** {@return the columns that belong to the memory, not a copy; null without any} */
        static @Nullable INDArray peepholesOf(INDArray recurrent) {
            long states = BLOCKS * recurrent.size(0);
            long columns = recurrent.size(1);
            return columns == states ? null : recurrent.get(all(), interval(states, columns));
        }

        long units() {
            return recurrent.size(0);
        }
    }

    /**
     * The state before the first step, or after the last one.
     *
     * @param hidden the hidden state, rounded, [m, n]; null is 0
     * @param memory the memory cells, [m, n]; null is 0
     */
    record State(@Nullable INDArray hidden, @Nullable INDArray memory) {

        /** {@return the state that DL4J remembers, by its names; a missing part is 0} */
        static State of(Map<String, INDArray> states) {
            return new State(states.get(HIDDEN_STATE), states.get(MEMORY_CELLS));
        }
    }

    private final Cell cell;
    private final State start;
    private final TimeSteps steps;
    private final boolean training;
    private final INDArray raw;
    private final INDArray result;
    private final INDArray[] sums;
    private final INDArray[] gates;
    private final INDArray[] memories;
    private final INDArray[] activated;
    private final @Nullable GateRounding rounding;

    private LstmPass(
            Cell cell, State start, TimeSteps steps, boolean training, LayerWorkspaceMgr mgr) {
        this.cell = cell;
        this.start = start;
        this.steps = steps;
        this.training = training;
        this.rounding =
                cell.hidden().codes() == null
                        ? null
                        : GateRounding.of(cell.gate(), cell.function());
        long n = cell.units();
        this.result = steps.sequence(ArrayType.ACTIVATIONS, n, mgr);
        this.raw = training ? steps.sequence(ArrayType.ACTIVATIONS, n, mgr) : result;
        this.sums = matrices(BLOCKS * n, mgr);
        this.gates = training ? matrices(BLOCKS * n, mgr) : sums;
        this.memories = matrices(n, mgr);
        this.activated = matrices(n, mgr);
    }

    private INDArray[] matrices(long columns, LayerWorkspaceMgr mgr) {
        ArrayType type = training ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM;
        INDArray[] matrices = new INDArray[training ? steps.count() : 1];
        for (int i = 0; i < matrices.length; i++) {
            matrices[i] = steps.matrix(type, columns, mgr);
        }
        return matrices;
    }

    /**
     * Runs all steps.
     *
     * @param cell the weights and functions
     * @param start the state before the first step
     * @param steps the input
     * @param training whether {@link #backward} will follow
     * @param mgr the workspaces
     * @return the run
     */
    static LstmPass forward(
            Cell cell, State start, TimeSteps steps, boolean training, LayerWorkspaceMgr mgr) {
        LstmPass pass = new LstmPass(cell, start, steps, training, mgr);
        State state = start;
        for (int t = 0; t < steps.count(); t++) {
            MemoryWorkspace scope = mgr.notifyScopeEntered(ArrayType.RNN_FF_LOOP_WORKING_MEM);
            try {
                state = pass.step(t, state);
            } finally {
                scope.close();
            }
        }
        return pass;
    }

    @Override
    public INDArray result() {
        return result;
    }

    @Override
    public INDArray raw() {
        return raw;
    }

    @Override
    public Map<String, INDArray> end() {
        int last = steps.count() - 1;
        return Map.of(
                HIDDEN_STATE, at(result, last).dup(), MEMORY_CELLS, slot(memories, last).dup());
    }

    private INDArray slot(INDArray[] steps, int t) {
        return steps[training ? t : 0];
    }

    private INDArray block(INDArray matrix, int index) {
        long n = cell.units();
        return matrix.get(all(), interval(index * n, (index + 1) * n));
    }

    private State step(int t, State before) {
        INDArray z = slot(sums, t);
        steps.sums(t, cell.input(), before.hidden(), cell.recurrent(), cell.biases(), z);
        peep(z, FORGET, before.memory());
        peep(z, MODULATION, before.memory());
        INDArray memory =
                rounding == null
                        ? inFloat(t, z, before.memory())
                        : rounded(rounding, t, z, before.memory());
        INDArray h = at(raw, t);
        steps.hide(h, t);
        steps.hide(memory, t);
        INDArray rounded = at(result, t);
        cell.hidden().forward(h, rounded);
        return new State(rounded, memory);
    }

    private INDArray rounded(GateRounding gates, int t, INDArray z, @Nullable INDArray before) {
        INDArray memory = slot(memories, t);
        gates.forward(
                new GateRounding.Step(
                        z,
                        slot(this.gates, t),
                        before,
                        peephole(cell.peepholes(), OUTPUT),
                        memory,
                        slot(activated, t),
                        at(raw, t)));
        return memory;
    }

    private INDArray inFloat(int t, INDArray z, @Nullable INDArray before) {
        INDArray gated = slot(gates, t);
        if (gated != z) {
            gated.assign(z);
        }
        cell.function().getActivation(block(gated, INPUT), training);
        cell.gate().getActivation(block(gated, FORGET), training);
        cell.gate().getActivation(block(gated, MODULATION), training);
        INDArray memory = remember(t, gated, before);
        peep(z, OUTPUT, memory);
        if (gated != z) {
            block(gated, OUTPUT).assign(block(z, OUTPUT));
        }
        cell.gate().getActivation(block(gated, OUTPUT), training);
        at(raw, t).assign(slot(activated, t).mul(block(gated, OUTPUT)));
        return memory;
    }

    /** Shows the memory to one of the gates. */
    private void peep(INDArray sums, int gate, @Nullable INDArray memory) {
        INDArray weights = peephole(cell.peepholes(), gate);
        if (weights != null && memory != null) {
            block(sums, gate).addi(memory.mulRowVector(weights));
        }
    }

    /* The peepholes' columns have the order of the gates without the input. */
    private static @Nullable INDArray peephole(@Nullable INDArray peepholes, int gate) {
        return peepholes == null ? null : peepholes.getColumn(gate - FORGET);
    }

    private INDArray remember(int t, INDArray gated, @Nullable INDArray before) {
        INDArray sum = block(gated, MODULATION).mul(block(gated, INPUT));
        if (before != null) {
            sum.addi(block(gated, FORGET).mul(before));
        }
        INDArray memory = slot(memories, t).assign(sum);
        cell.function().getActivation(slot(activated, t).assign(sum), training);
        return memory;
    }

    @Override
    public INDArray backward(INDArray epsilon, int length, Views views, LayerWorkspaceMgr mgr) {
        views.clear();
        INDArray byStates = Cell.states(views.recurrent());
        INDArray byMemory = Cell.peepholesOf(views.recurrent());
        INDArray toInput = steps.sequence(ArrayType.ACTIVATION_GRAD, cell.input().size(0), mgr);
        INDArray upstream = steps.sequence(ArrayType.BP_WORKING_MEM, cell.units(), mgr);
        INDArray delta = steps.matrix(ArrayType.BP_WORKING_MEM, BLOCKS * cell.units(), mgr);
        INDArray toMemory = steps.matrix(ArrayType.BP_WORKING_MEM, cell.units(), mgr);
        int last = steps.count() - 1;
        for (int t = last; t >= Math.max(0, last + 1 - length); t--) {
            MemoryWorkspace scope = mgr.notifyScopeEntered(ArrayType.RNN_BP_LOOP_WORKING_MEM);
            try {
                INDArray u = at(upstream, t).assign(at(epsilon, t));
                if (t < last) {
                    Nd4j.gemm(delta, cell.recurrent(), u, false, true, 1, 1);
                }
                stepBack(t, u, delta, toMemory, byMemory);
                steps.accumulate(
                        t,
                        t == 0 ? start.hidden() : at(result, t - 1),
                        delta,
                        views.input(),
                        byStates,
                        views.biases());
                Nd4j.gemm(delta, cell.input(), at(toInput, t), false, true, 1, 0);
            } finally {
                scope.close();
            }
        }
        cell.hidden().backwardOfAllSteps(raw, upstream);
        return toInput;
    }

    /** Turns the gradient of a step's result into that of its sums and of the memory before. */
    private void stepBack(
            int t,
            INDArray upstream,
            INDArray delta,
            INDArray toMemory,
            @Nullable INDArray byMemory) {
        INDArray h = upstream.dup('f');
        if (cell.hidden().rounds()) {
            cell.hidden().backward(at(raw, t), upstream, h);
        }
        steps.hide(h, t);
        steps.hide(toMemory, t);
        INDArray z = slot(sums, t);
        INDArray gated = slot(gates, t);
        INDArray memory = slot(memories, t);
        back(cell.gate(), z, OUTPUT, h.mul(slot(activated, t)), delta);
        peepBack(delta, OUTPUT, memory, toMemory, byMemory);
        toMemory.addi(cell.function().backprop(memory, h.muli(block(gated, OUTPUT))).getFirst());
        if (rounding != null) {
            GateRounding.hideClippedMemory(memory, toMemory);
        }
        back(cell.gate(), z, MODULATION, toMemory.mul(block(gated, INPUT)), delta);
        back(cell.function(), z, INPUT, toMemory.mul(block(gated, MODULATION)), delta);
        INDArray before = t == 0 ? start.memory() : slot(memories, t - 1);
        if (before == null) {
            block(delta, FORGET).assign(0);
        } else {
            back(cell.gate(), z, FORGET, toMemory.mul(before), delta);
        }
        toMemory.muli(block(gated, FORGET));
        peepBack(delta, FORGET, before, toMemory, byMemory);
        peepBack(delta, MODULATION, before, toMemory, byMemory);
    }

    private void peepBack(
            INDArray delta,
            int gate,
            @Nullable INDArray memory,
            INDArray toMemory,
            @Nullable INDArray byMemory) {
        INDArray weights = peephole(cell.peepholes(), gate);
        INDArray gradient = peephole(byMemory, gate);
        if (weights != null && gradient != null && memory != null) {
            INDArray upstream = block(delta, gate);
            gradient.addi(upstream.mul(memory).sum(0));
            toMemory.addi(upstream.mulRowVector(weights));
        }
    }

    private void back(
            IActivation function, INDArray sums, int index, INDArray upstream, INDArray delta) {
        INDArray at = block(sums, index).dup('f');
        INDArray gradient = block(delta, index);
        gradient.assign(function.backprop(at, upstream).getFirst());
        if (rounding != null) {
            GateRounding.hideClippedSums(block(sums, index), gradient);
        }
    }
}
