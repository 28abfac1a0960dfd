// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.recurrent.GateTables;
import org.dl4jquant.numeric.recurrent.Recurrence;
import org.jspecify.annotations.Nullable;

/** A recurrent layer, one example after the other. */
final class RecurrentKernel implements Kernel {

    private final Recurrence recurrence;
    private final QuantParams params;
    private final int units;
    private final boolean masked;
    private final boolean stateful;

    RecurrentKernel(Recurrent node, QuantParams input) {
        this.recurrence = node.recurrence(input);
        this.params = node.params();
        this.units = node.units();
        this.masked = node.mask().isPresent();
        this.stateful = node.reads().before().isPresent();
    }

    /**
     * The results of all examples.
     *
     * @param states the codes of the hidden states, as containers
     * @param memory the values of the memory after the last step
     */
    @SuppressWarnings("ArrayRecordComponent") // passed on at once
    private record Results(byte[] states, float[] memory) {}

    @Override
    public Batch run(List<Batch> inputs) {
        int steps = inputs.get(0).shape().size(1);
        byte[] states = compute(inputs).states();
        return Batch.Codes.of(inputs.get(0).size(), Shape.of(units, steps), states, params);
    }

    /** {@return the kernel of the memory after the last step, which computes all steps again} */
    Kernel memory() {
        return inputs ->
                Batch.Floats.of(inputs.get(0).size(), Shape.of(units), compute(inputs).memory());
    }

    private Results compute(List<Batch> inputs) {
        Batch.Codes input = (Batch.Codes) inputs.get(0);
        int steps = input.shape().size(1);
        int[] codes = new int[input.shape().elements()];
        int[] states = new int[units * steps];
        byte[] containers = new byte[input.size() * states.length];
        float[] memory = new float[input.size() * units];
        for (int example = 0; example < input.size(); example++) {
            for (int i = 0; i < codes.length; i++) {
                codes[i] = input.code(example * codes.length + i);
            }
            Recurrence.State state = before(inputs, example);
            recurrence.run(codes, steps, counting(inputs, example, steps), state, states);
            for (int i = 0; i < states.length; i++) {
                containers[example * states.length + i] = (byte) states[i];
            }
            for (int unit = 0; unit < state.memory().length; unit++) {
                memory[example * units + unit] = state.memory()[unit] * GateTables.MEMORY_STEP;
            }
        }
        return new Results(containers, memory);
    }

    private Recurrence.State before(List<Batch> inputs, int example) {
        Recurrence.State state = recurrence.start();
        if (stateful) {
            int first = masked ? 2 : 1;
            Batch.Codes hidden = (Batch.Codes) inputs.get(first);
            for (int unit = 0; unit < units; unit++) {
                state.hidden()[unit] = hidden.code(example * units + unit);
            }
            for (int unit = 0; unit < state.memory().length; unit++) {
                float[] values = ((Batch.Floats) inputs.get(first + 1)).values();
                state.memory()[unit] = GateTables.memoryCode(values[example * units + unit]);
            }
        }
        return state;
    }

    private boolean @Nullable [] counting(List<Batch> inputs, int example, int steps) {
        return masked
                ? MaskKernel.counting(((Batch.Floats) inputs.get(1)).values(), example, steps)
                : null;
    }
}
