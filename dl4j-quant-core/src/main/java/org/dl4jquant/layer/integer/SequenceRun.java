// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.recurrent.GateTables;
import org.dl4jquant.numeric.recurrent.Recurrence;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/*
 * NaN is no code: from the first step that holds it on, all states of that example are NaN, as in
 * DL4J, where each gate reads all features.
 */
/** A batch of sequences through a recurrence, in values of codes. */
final class SequenceRun {

    private final RecurrentArithmetic.Integers integers;
    private final Recurrence recurrence;
    private final boolean reverse;

    SequenceRun(RecurrentArithmetic.Integers integers, boolean reverse) {
        this.integers = integers;
        this.recurrence = integers.recurrence(reverse);
        this.reverse = reverse;
    }

    /**
     * The values of a batch's states, row-major.
     *
     * @param hidden [examples, units]
     * @param memory [examples, units]; none without memory cells
     */
    @SuppressWarnings("ArrayRecordComponent") // a view of arrays, not compared
    record States(float[] hidden, float[] memory) {

        /** {@return them as [examples, units] each} */
        List<INDArray> arrays(int examples) {
            List<INDArray> arrays = new ArrayList<>();
            arrays.add(array(hidden, examples));
            if (memory.length > 0) {
                arrays.add(array(memory, examples));
            }
            return arrays;
        }

        private static INDArray array(float[] values, int examples) {
            return Detached.compute(
                    () -> RowMajor.array(values, examples, values.length / examples));
        }
    }

    /**
     * {@return the states before the first step}
     *
     * @param inputs of the layer: after the sequences, the states; 0 without any
     * @param examples how many
     */
    States states(List<INDArray> inputs, int examples) {
        int length = examples * units();
        return new States(
                inputs.size() > 1 ? RowMajor.floats(inputs.get(1)) : new float[length],
                !integers.cell().remembers()
                        ? new float[0]
                        : inputs.size() > 2 ? RowMajor.floats(inputs.get(2)) : new float[length]);
    }

    private int units() {
        return integers.hidden().weightsPerChannel();
    }

    /**
     * {@return the hidden states, [examples, units, steps], row-major}
     *
     * @param x [examples, features, steps], row-major
     * @param examples how many
     * @param mask [examples, steps] of 0 and 1, row-major; null if all steps count
     * @param states those before the first step, replaced by those after the last
     */
    float[] run(float[] x, int examples, float @Nullable [] mask, States states) {
        int features = integers.input().weightsPerChannel();
        int steps = x.length / examples / features;
        int units = units();
        float[] result = new float[examples * units * steps];
        int[] codes = new int[features * steps];
        int[] found = new int[units * steps];
        for (int example = 0; example < examples; example++) {
            int first = steps;
            Recurrence.State state = recurrence.start();
            if (!read(states, example, state)) {
                first = 0;
            }
            for (int i = 0; i < codes.length; i++) {
                float value = x[example * codes.length + i];
                if (Float.isNaN(value)) {
                    first = Math.min(first, place(i % steps, steps));
                } else {
                    codes[i] = integers.codes().quantize(value);
                }
            }
            recurrence.run(codes, steps, counting(mask, example, steps), state, found);
            write(found, steps, first, result, example * found.length);
            write(state, example, first < steps, states);
        }
        return result;
    }

    private int place(int step, int steps) {
        return reverse ? steps - 1 - step : step;
    }

    private static boolean @Nullable [] counting(float @Nullable [] mask, int example, int steps) {
        if (mask == null) {
            return null;
        }
        boolean[] counting = new boolean[steps];
        for (int t = 0; t < steps; t++) {
            counting[t] = mask[example * steps + t] != 0;
        }
        return counting;
    }

    private void write(int[] codes, int steps, int firstLost, float[] result, int offset) {
        QuantParams params = integers.state();
        for (int i = 0; i < codes.length; i++) {
            result[offset + i] =
                    place(i % steps, steps) >= firstLost ? Float.NaN : params.dequantize(codes[i]);
        }
    }

    /** {@return whether the states are numbers} */
    private boolean read(States from, int example, Recurrence.State to) {
        int units = units();
        boolean numbers = true;
        for (int unit = 0; unit < units; unit++) {
            float hidden = from.hidden()[example * units + unit];
            numbers &= !Float.isNaN(hidden);
            to.hidden()[unit] = integers.state().quantize(Float.isNaN(hidden) ? 0 : hidden);
            if (to.memory().length > 0) {
                float memory = from.memory()[example * units + unit];
                numbers &= !Float.isNaN(memory);
                to.memory()[unit] = GateTables.memoryCode(Float.isNaN(memory) ? 0 : memory);
            }
        }
        return numbers;
    }

    private void write(Recurrence.State from, int example, boolean lost, States to) {
        int units = units();
        if (lost) {
            Arrays.fill(to.hidden(), example * units, (example + 1) * units, Float.NaN);
            if (from.memory().length > 0) {
                Arrays.fill(to.memory(), example * units, (example + 1) * units, Float.NaN);
            }
            return;
        }
        for (int unit = 0; unit < units; unit++) {
            to.hidden()[example * units + unit] = integers.state().dequantize(from.hidden()[unit]);
            if (from.memory().length > 0) {
                to.memory()[example * units + unit] = from.memory()[unit] * GateTables.MEMORY_STEP;
            }
        }
    }
}
