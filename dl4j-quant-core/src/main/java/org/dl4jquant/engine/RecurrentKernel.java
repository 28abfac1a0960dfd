// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.recurrent.Recurrence;
import org.jspecify.annotations.Nullable;

import java.util.List;

/** A recurrent layer, one example after the other. */
final class RecurrentKernel implements Kernel {

    private final Recurrence recurrence;
    private final QuantParams params;
    private final int units;
    private final boolean masked;

    RecurrentKernel(Recurrent node, QuantParams input) {
        this.recurrence = node.recurrence(input);
        this.params = node.params();
        this.units = node.units();
        this.masked = node.mask().isPresent();
    }

    @Override
    public Batch run(List<Batch> inputs) {
        Batch.Codes input = (Batch.Codes) inputs.get(0);
        int steps = input.shape().size(1);
        int[] codes = new int[input.shape().elements()];
        int[] states = new int[units * steps];
        byte[] containers = new byte[input.size() * states.length];
        for (int example = 0; example < input.size(); example++) {
            for (int i = 0; i < codes.length; i++) {
                codes[i] = input.code(example * codes.length + i);
            }
            recurrence.run(
                    codes, steps, counting(inputs, example, steps), recurrence.start(), states);
            for (int i = 0; i < states.length; i++) {
                containers[example * states.length + i] = (byte) states[i];
            }
        }
        return Batch.Codes.of(input.size(), Shape.of(units, steps), containers, params);
    }

    private boolean @Nullable [] counting(List<Batch> inputs, int example, int steps) {
        return masked
                ? MaskKernel.counting(((Batch.Floats) inputs.get(1)).values(), example, steps)
                : null;
    }
}
