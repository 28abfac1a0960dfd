// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import static org.dl4jquant.layer.recurrent.TimeSteps.at;

import java.util.Map;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** One run of an Elman network over its time steps, with a hidden state rounded in between. */
final class SimpleRnnPass implements RecurrentPass {

    /* With m examples, n units and T steps:
     *
     *   z = x W + h RW + b                        [m, n]
     *   raw = function(z),  h' = round(raw)
     *
     * With a hidden state in codes, z is rounded, too, as SumRounding says. A mask of 0 sets raw to 0 before the rounding. Without rounding, gradients are those of DL4J's
     * own layer but for truncated backpropagation: there it computes the activations again from a
     * state of 0 instead of the remembered one, and leaves the state before the first of the
     * truncated steps out of the gradient of RW. Here they count. */

    /**
     * What the layer computes with.
     *
     * @param input the weights of the input, [nIn, n]
     * @param recurrent the weights of the hidden state, [n, n]
     * @param biases n numbers
     * @param function the activation function
     * @param hidden how the hidden state is rounded
     */
    record Cell(
            INDArray input,
            INDArray recurrent,
            INDArray biases,
            IActivation function,
            HiddenState hidden) {}

    private final Cell cell;
    private final @Nullable INDArray start;
    private final TimeSteps steps;
    private final boolean training;
    private final INDArray sums;
    private final INDArray raw;
    private final INDArray result;
    private final @Nullable SumRounding rounding;

    private SimpleRnnPass(
            Cell cell,
            @Nullable INDArray start,
            TimeSteps steps,
            boolean training,
            LayerWorkspaceMgr mgr) {
        this.cell = cell;
        this.start = start;
        this.steps = steps;
        this.training = training;
        this.rounding = SumRounding.of(cell.function(), cell.hidden().codes());
        long n = cell.recurrent().size(0);
        this.result = steps.sequence(ArrayType.ACTIVATIONS, n, mgr);
        this.raw = training ? steps.sequence(ArrayType.ACTIVATIONS, n, mgr) : result;
        this.sums = training ? steps.sequence(ArrayType.ACTIVATIONS, n, mgr) : result;
    }

    /**
     * Runs all steps.
     *
     * @param cell the weights and the function
     * @param start the state before the first step; empty for 0
     * @param steps the input
     * @param training whether {@link #backward} will follow
     * @param mgr the workspaces
     * @return the run
     */
    static SimpleRnnPass forward(
            Cell cell,
            Map<String, INDArray> start,
            TimeSteps steps,
            boolean training,
            LayerWorkspaceMgr mgr) {
        SimpleRnnPass pass = new SimpleRnnPass(cell, start.get(HIDDEN_STATE), steps, training, mgr);
        for (int t = 0; t < steps.count(); t++) {
            MemoryWorkspace scope = mgr.notifyScopeEntered(ArrayType.RNN_FF_LOOP_WORKING_MEM);
            try {
                pass.step(t);
            } finally {
                scope.close();
            }
        }
        return pass;
    }

    private void step(int t) {
        INDArray z = at(sums, t);
        steps.sums(t, cell.input(), before(t), cell.recurrent(), cell.biases(), z);
        if (rounding != null) {
            rounding.forward(z);
        }
        INDArray h = at(raw, t);
        if (raw != sums) {
            h.assign(z);
        }
        cell.function().getActivation(h, training);
        steps.hide(h, t);
        cell.hidden().forward(h, at(result, t));
    }

    private @Nullable INDArray before(int t) {
        return t == 0 ? start : at(result, t - 1);
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
        return Map.of(HIDDEN_STATE, at(result, steps.count() - 1).dup());
    }

    @Override
    public INDArray backward(INDArray epsilon, int length, Views views, LayerWorkspaceMgr mgr) {
        views.clear();
        long n = cell.recurrent().size(0);
        INDArray toInput = steps.sequence(ArrayType.ACTIVATION_GRAD, cell.input().size(0), mgr);
        INDArray upstream = steps.sequence(ArrayType.BP_WORKING_MEM, n, mgr);
        INDArray delta = steps.matrix(ArrayType.BP_WORKING_MEM, n, mgr);
        int last = steps.count() - 1;
        for (int t = last; t >= Math.max(0, last + 1 - length); t--) {
            MemoryWorkspace scope = mgr.notifyScopeEntered(ArrayType.RNN_BP_LOOP_WORKING_MEM);
            try {
                INDArray u = at(upstream, t).assign(at(epsilon, t));
                if (t < last) {
                    Nd4j.gemm(delta, cell.recurrent(), u, false, true, 1, 1);
                }
                stepBack(t, u, delta);
                steps.accumulate(
                        t, before(t), delta, views.input(), views.recurrent(), views.biases());
                Nd4j.gemm(delta, cell.input(), at(toInput, t), false, true, 1, 0);
            } finally {
                scope.close();
            }
        }
        cell.hidden().backwardOfAllSteps(raw, upstream);
        return toInput;
    }

    private void stepBack(int t, INDArray upstream, INDArray delta) {
        INDArray h = upstream.dup('f');
        if (cell.hidden().rounds()) {
            cell.hidden().backward(at(raw, t), upstream, h);
        }
        steps.hide(h, t);
        delta.assign(cell.function().backprop(at(sums, t).dup('f'), h).getFirst());
        if (rounding != null) {
            rounding.backward(at(sums, t), delta);
        }
    }
}
