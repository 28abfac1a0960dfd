// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.recurrent.Recurrence;

/** A recurrent layer, one example after the other. */
final class RecurrentKernel implements Kernel {

    private final Recurrence recurrence;
    private final QuantParams params;
    private final int units;

    RecurrentKernel(Recurrent node, QuantParams input) {
        this.recurrence = node.recurrence(input);
        this.params = node.params();
        this.units = node.units();
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
            recurrence.run(codes, steps, null, recurrence.start(), states);
            for (int i = 0; i < states.length; i++) {
                containers[example * states.length + i] = (byte) states[i];
            }
        }
        return Batch.Codes.of(input.size(), Shape.of(units, steps), containers, params);
    }
}
