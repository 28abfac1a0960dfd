// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;
import static org.nd4j.linalg.indexing.NDArrayIndex.point;

import java.util.Objects;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/** One run of an LSTM over its time steps, with a hidden state that is rounded in between. */
final class LstmPass {

    /* With m examples, n units and T steps, and DL4J's order of the four blocks of n columns:
     *
     *   z = x W + h RW + b                        [m, 4n]: input, forget, output, modulation
     *   c' = forget(z) * c + modulation(z) * input(z)
     *   raw = output(z) * function(c'),  h' = round(raw)
     *
     * and backwards, from the last step on, with u = dL/dh' (from above and from the step behind):
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
     */
    record Cell(
            INDArray input,
            INDArray recurrent,
            INDArray biases,
            IActivation function,
            IActivation gate,
            HiddenState hidden) {
        long units() {
            return recurrent.size(0);
        }
    }

    /**
     * The state before the first step, or behind the last one.
     *
     * @param hidden the hidden state, rounded, [m, n]; null is 0
     * @param memory the memory cells, [m, n]; null is 0
     */
    record State(@Nullable INDArray hidden, @Nullable INDArray memory) {
        /** All 0. */
        static final State ZERO = new State(null, null);
    }

    /**
     * Where gradients of the parameters go.
     *
     * @param input of the input weights
     * @param recurrent of the recurrent weights
     * @param biases of the biases
     */
    record Views(INDArray input, INDArray recurrent, INDArray biases) {}

    private final Cell cell;
    private final State start;
    private final INDArray x;
    private final @Nullable INDArray mask;
    private final boolean training;
    private final INDArray raw;
    private final INDArray result;
    private final INDArray[] sums;
    private final INDArray[] gates;
    private final INDArray[] memories;
    private final INDArray[] activated;

    private LstmPass(
            Cell cell,
            State start,
            INDArray x,
            @Nullable INDArray mask,
            boolean training,
            LayerWorkspaceMgr mgr) {
        this.cell = cell;
        this.start = start;
        this.x = x;
        this.mask = mask;
        this.training = training;
        long n = cell.units();
        this.result = sequence(ArrayType.ACTIVATIONS, n, mgr);
        this.raw = training ? sequence(ArrayType.ACTIVATIONS, n, mgr) : result;
        this.sums = steps(BLOCKS * n, mgr);
        this.gates = training ? steps(BLOCKS * n, mgr) : sums;
        this.memories = steps(n, mgr);
        this.activated = steps(n, mgr);
    }

    private INDArray sequence(ArrayType type, long channels, LayerWorkspaceMgr mgr) {
        return mgr.create(type, x.dataType(), new long[] {x.size(0), channels, x.size(2)}, 'f');
    }

    private INDArray[] steps(long columns, LayerWorkspaceMgr mgr) {
        INDArray[] steps = new INDArray[training ? (int) x.size(2) : 1];
        for (int i = 0; i < steps.length; i++) {
            steps[i] =
                    matrix(
                            training ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM,
                            columns,
                            mgr);
        }
        return steps;
    }

    private INDArray matrix(ArrayType type, long columns, LayerWorkspaceMgr mgr) {
        return mgr.create(type, x.dataType(), new long[] {x.size(0), columns}, 'f');
    }

    /**
     * Runs all steps.
     *
     * @param cell the weights and functions
     * @param start the state before the first step
     * @param x the input, [m, nIn, T]
     * @param mask 1 for steps that count and 0 for others, [m, T]; null if all count
     * @param training whether {@link #backward} will follow
     * @param mgr the workspaces
     * @return the run
     */
    static LstmPass forward(
            Cell cell,
            State start,
            INDArray x,
            @Nullable INDArray mask,
            boolean training,
            LayerWorkspaceMgr mgr) {
        LstmPass pass = new LstmPass(cell, start, x, mask, training, mgr);
        State state = start;
        for (int t = 0; t < x.size(2); t++) {
            MemoryWorkspace scope = mgr.notifyScopeEntered(ArrayType.RNN_FF_LOOP_WORKING_MEM);
            try {
                state = pass.step(t, state);
            } finally {
                scope.close();
            }
        }
        return pass;
    }

    /** {@return the rounded hidden states, [m, n, T]} */
    INDArray result() {
        return result;
    }

    /** {@return the same before they were rounded} */
    INDArray raw() {
        return raw;
    }

    /** {@return the state behind the last step; its arrays are copies} */
    State end() {
        int last = (int) x.size(2) - 1;
        return new State(at(result, last).dup(), slot(memories, last).dup());
    }

    private INDArray slot(INDArray[] steps, int t) {
        return steps[training ? t : 0];
    }

    private static INDArray at(INDArray sequence, int t) {
        return sequence.get(all(), all(), point(t));
    }

    private static INDArray operand(INDArray sequence, int t) {
        return Shape.toMmulCompatible(at(sequence, t));
    }

    private INDArray block(INDArray matrix, int index) {
        long n = cell.units();
        return matrix.get(all(), interval(index * n, (index + 1) * n));
    }

    private State step(int t, State before) {
        INDArray z = slot(sums, t);
        Nd4j.gemm(operand(x, t), cell.input(), z, false, false, 1, 0);
        if (before.hidden() != null) {
            Nd4j.gemm(
                    Shape.toMmulCompatible(before.hidden()),
                    cell.recurrent(),
                    z,
                    false,
                    false,
                    1,
                    1);
        }
        z.addiRowVector(cell.biases());
        INDArray gated = slot(gates, t);
        if (gated != z) {
            gated.assign(z);
        }
        cell.function().getActivation(block(gated, INPUT), training);
        cell.gate().getActivation(block(gated, FORGET), training);
        cell.gate().getActivation(block(gated, OUTPUT), training);
        cell.gate().getActivation(block(gated, MODULATION), training);
        INDArray memory = remember(t, gated, before.memory());
        INDArray h = at(raw, t).assign(slot(activated, t).mul(block(gated, OUTPUT)));
        hide(h, t);
        hide(memory, t);
        INDArray rounded = at(result, t);
        cell.hidden().forward(h, rounded);
        return new State(rounded, memory);
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

    private void hide(INDArray matrix, int t) {
        if (mask != null) {
            matrix.muliColumnVector(mask.getColumn(t, true));
        }
    }

    /**
     * Sends gradients back through the steps; only once, because it overwrites what it needs.
     *
     * @param epsilon loss per unit of the result, [m, n, T]
     * @param length how many of the last steps they pass
     * @param views where the parameters' gradients go
     * @param mgr the workspaces
     * @return loss per unit of the input, [m, nIn, T]; 0 for steps that were not reached
     */
    INDArray backward(INDArray epsilon, int length, Views views, LayerWorkspaceMgr mgr) {
        views.input().assign(0);
        views.recurrent().assign(0);
        views.biases().assign(0);
        INDArray toInput = sequence(ArrayType.ACTIVATION_GRAD, x.size(1), mgr);
        INDArray upstream = sequence(ArrayType.BP_WORKING_MEM, cell.units(), mgr);
        INDArray delta = matrix(ArrayType.BP_WORKING_MEM, BLOCKS * cell.units(), mgr);
        INDArray toMemory = matrix(ArrayType.BP_WORKING_MEM, cell.units(), mgr);
        int last = (int) x.size(2) - 1;
        for (int t = last; t >= Math.max(0, last + 1 - length); t--) {
            MemoryWorkspace scope = mgr.notifyScopeEntered(ArrayType.RNN_BP_LOOP_WORKING_MEM);
            try {
                INDArray u = at(upstream, t).assign(at(epsilon, t));
                if (t < last) {
                    Nd4j.gemm(delta, cell.recurrent(), u, false, true, 1, 1);
                }
                stepBack(t, u, delta, toMemory);
                accumulate(t, delta, views);
                Nd4j.gemm(delta, cell.input(), at(toInput, t), false, true, 1, 0);
            } finally {
                scope.close();
            }
        }
        if (cell.hidden().rounds()) {
            // Once more for all steps together: LSQ's gradient scale counts all that share it.
            cell.hidden().backward(raw, upstream, upstream);
        }
        return toInput;
    }

    /** Turns the gradient of a step's result into that of its sums and of the memory before. */
    private void stepBack(int t, INDArray upstream, INDArray delta, INDArray toMemory) {
        INDArray h = upstream.dup('f');
        if (cell.hidden().rounds()) {
            cell.hidden().backward(at(raw, t), upstream, h);
        }
        hide(h, t);
        hide(toMemory, t);
        INDArray z = slot(sums, t);
        INDArray gated = slot(gates, t);
        INDArray memory = slot(memories, t);
        back(cell.gate(), z, OUTPUT, h.mul(slot(activated, t)), delta);
        toMemory.addi(cell.function().backprop(memory, h.muli(block(gated, OUTPUT))).getFirst());
        back(cell.gate(), z, MODULATION, toMemory.mul(block(gated, INPUT)), delta);
        back(cell.function(), z, INPUT, toMemory.mul(block(gated, MODULATION)), delta);
        INDArray before = t == 0 ? start.memory() : slot(memories, t - 1);
        if (before == null) {
            block(delta, FORGET).assign(0);
        } else {
            back(cell.gate(), z, FORGET, toMemory.mul(before), delta);
        }
        toMemory.muli(block(gated, FORGET));
    }

    private void back(
            IActivation function, INDArray sums, int index, INDArray upstream, INDArray delta) {
        INDArray at = block(sums, index).dup('f');
        block(delta, index).assign(function.backprop(at, upstream).getFirst());
    }

    private void accumulate(int t, INDArray delta, Views views) {
        Nd4j.gemm(operand(x, t), delta, views.input(), true, false, 1, 1);
        INDArray before = t == 0 ? start.hidden() : at(result, t - 1);
        if (before != null) {
            Nd4j.gemm(
                    Shape.toMmulCompatible(Objects.requireNonNull(before)),
                    delta,
                    views.recurrent(),
                    true,
                    false,
                    1,
                    1);
        }
        views.biases().addi(delta.sum(0).reshape(views.biases().shape()));
    }
}
