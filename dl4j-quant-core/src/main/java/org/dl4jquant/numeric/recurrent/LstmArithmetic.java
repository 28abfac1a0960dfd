// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric.recurrent;

import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.jspecify.annotations.Nullable;

/** The gates and the memory of an LSTM on codes. */
final class LstmArithmetic implements CellArithmetic {

    /** Candidate, forget, output, modulation. */
    static final int BLOCKS = 4;

    private static final int FORGET = 1;
    private static final int OUTPUT = 2;
    private static final int MODULATION = 3;

    private final GateTables tables;
    private final float @Nullable [] peepholes;
    private final float multiplier;
    private final QuantParams params;

    /**
     * Takes what is computed with.
     *
     * @param tables the functions
     * @param peepholes the codes of the sums of forget, output and modulation in one code of the
     *     memory; null without peepholes
     * @param params how the codes of the hidden state stand for values
     */
    LstmArithmetic(GateTables tables, float @Nullable [] peepholes, QuantParams params) {
        this.tables = tables;
        this.peepholes = peepholes;
        this.params = params;
        this.multiplier = multiplier(params);
    }

    /**
     * {@return codes of the hidden state per code of the output gate times the memory's function}
     */
    static float multiplier(QuantParams params) {
        return GateTables.GATE_STEP * GateTables.VALUE_STEP / params.scale();
    }

    @Override
    public void step(float[] sums, int[] hidden, int[] memory) {
        int units = hidden.length;
        for (int unit = 0; unit < units; unit++) {
            int before = memory[unit];
            int candidate = tables.candidate(GateTables.sum(sums[unit]));
            int forget = gate(sums, FORGET, before, unit, units);
            int modulation = gate(sums, MODULATION, before, unit, units);
            int after = GateTables.memory(forget, before, modulation, candidate);
            int output = gate(sums, OUTPUT, after, unit, units);
            memory[unit] = after;
            hidden[unit] =
                    Rounding.requantize(
                            output * tables.value(after),
                            multiplier,
                            params.zeroPoint(),
                            params.range());
        }
    }

    private int gate(float[] sums, int block, int memory, int unit, int units) {
        float sum = sums[block * units + unit];
        if (peepholes != null) {
            sum += memory * peepholes[(block - FORGET) * units + unit];
        }
        return tables.gate(GateTables.sum(sum));
    }
}
