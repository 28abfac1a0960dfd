// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import java.util.Optional;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.recurrent.GateTables;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The gates and the memory of an LSTM in a training, rounded as the integer graph rounds them.
 * Gradients pass each rounding where it does not clip.
 */
final class GateRounding {

    private static final int BLOCKS = 4;
    private static final int FORGET = 1;
    private static final int OUTPUT = 2;
    private static final int MODULATION = 3;

    private final GateTables tables;

    private GateRounding(GateTables tables) {
        this.tables = tables;
    }

    /** {@return the rounding of a cell; null if its functions have no tables} */
    static @Nullable GateRounding of(IActivation gate, IActivation function) {
        Optional<ElementwiseFunction> ofGates = elementwise(gate).filter(GateTables::isGate);
        Optional<ElementwiseFunction> other = elementwise(function).filter(GateTables::isBounded);
        return ofGates.isPresent() && other.isPresent()
                ? new GateRounding(new GateTables(ofGates.get(), other.get()))
                : null;
    }

    private static Optional<ElementwiseFunction> elementwise(IActivation activation) {
        return PointwiseActivation.of(activation).map(PointwiseActivation::elementwise);
    }

    /**
     * The matrices of one step, with the examples along dimension 0.
     *
     * @param sums four blocks of sums, with the peepholes of forget and modulation; becomes the
     *     rounded ones
     * @param gates receives the candidate and the gates, perhaps the same as {@code sums}
     * @param before the memory before; null for 0
     * @param peepholes the weights by which the output gate reads the memory after; null for 0
     * @param memory receives the memory after
     * @param activated receives its function
     * @param raw receives the hidden state before it is rounded
     */
    record Step(
            INDArray sums,
            INDArray gates,
            @Nullable INDArray before,
            @Nullable INDArray peepholes,
            INDArray memory,
            INDArray activated,
            INDArray raw) {}

    /** Computes one step. */
    void forward(Step step) {
        int units = Math.toIntExact(step.memory().size(1));
        double[] sums = RowMajor.doubles(step.sums());
        double[] gates = new double[sums.length];
        double[] memory = new double[sums.length / BLOCKS];
        double[] before =
                step.before() == null ? new double[memory.length] : RowMajor.doubles(step.before());
        double[] peepholes =
                step.peepholes() == null ? new double[units] : RowMajor.doubles(step.peepholes());
        double[] activated = new double[memory.length];
        double[] raw = new double[memory.length];
        for (int i = 0; i < memory.length; i++) {
            int unit = i % units;
            int first = i / units * BLOCKS * units + unit;
            int candidate = tables.candidate(rounded(sums, first));
            int forget = tables.gate(rounded(sums, first + FORGET * units));
            int modulation = tables.gate(rounded(sums, first + MODULATION * units));
            int old = (int) Math.rint(before[i] / GateTables.MEMORY_STEP);
            int after = GateTables.memory(forget, old, modulation, candidate);
            memory[i] = after * (double) GateTables.MEMORY_STEP;
            sums[first + OUTPUT * units] += memory[i] * peepholes[unit];
            int output = tables.gate(rounded(sums, first + OUTPUT * units));
            gates[first] = candidate * (double) GateTables.CANDIDATE_STEP;
            gates[first + FORGET * units] = forget * (double) GateTables.GATE_STEP;
            gates[first + OUTPUT * units] = output * (double) GateTables.GATE_STEP;
            gates[first + MODULATION * units] = modulation * (double) GateTables.GATE_STEP;
            activated[i] = tables.value(after) * (double) GateTables.VALUE_STEP;
            raw[i] = gates[first + OUTPUT * units] * activated[i];
        }
        RowMajor.copyInto(sums, step.sums());
        RowMajor.copyInto(gates, step.gates());
        RowMajor.copyInto(memory, step.memory());
        RowMajor.copyInto(activated, step.activated());
        RowMajor.copyInto(raw, step.raw());
    }

    private static int rounded(double[] sums, int index) {
        int code = GateTables.sum((float) (sums[index] / GateTables.SUM_STEP));
        sums[index] = code * (double) GateTables.SUM_STEP;
        return code;
    }

    /** Sets the gradient of sums to 0 where they were clipped. */
    static void hideClippedSums(INDArray sums, INDArray gradient) {
        hide(
                sums,
                gradient,
                GateTables.LEAST_SUM * (double) GateTables.SUM_STEP,
                GateTables.MOST_SUM * (double) GateTables.SUM_STEP);
    }

    /** Sets the gradient of the memory to 0 where it was clipped. */
    static void hideClippedMemory(INDArray memory, INDArray gradient) {
        hide(
                memory,
                gradient,
                GateTables.LEAST_MEMORY * (double) GateTables.MEMORY_STEP,
                GateTables.MOST_MEMORY * (double) GateTables.MEMORY_STEP);
    }

    static void hide(INDArray values, INDArray gradient, double least, double most) {
        double[] rounded = RowMajor.doubles(values);
        double[] passed = RowMajor.doubles(gradient);
        boolean clips = false;
        for (int i = 0; i < rounded.length; i++) {
            if (rounded[i] <= least || rounded[i] >= most) {
                passed[i] = 0;
                clips = true;
            }
        }
        if (clips) {
            RowMajor.copyInto(passed, gradient);
        }
    }
}
