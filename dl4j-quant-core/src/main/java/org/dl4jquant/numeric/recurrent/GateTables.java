// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric.recurrent;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.ElementwiseFunction.Fixed;

/**
 * The functions of an LSTM as tables of integers, made with {@link StrictMath}.
 *
 * <p>Sums of a gate are rounded to 12 bits of step 2^-8, so that they reach from -8 to 8. A gate is
 * 8 bits of step 2^-8, the candidate 8 signed bits of step 2^-7, the memory 16 bits of step 2^-12,
 * and the function of the memory 16 bits of step 2^-15. The products of two of them and their sums
 * are integers below 2^24, which float32 holds exactly: every engine computes them alike.
 */
public final class GateTables {

    /** Units per code of a gate's sums. */
    public static final float SUM_STEP = 0x1p-8f;

    /** The least code of a gate's sums. */
    public static final int LEAST_SUM = -2048;

    /** The largest code of a gate's sums. */
    public static final int MOST_SUM = 2047;

    /** The number of codes of a gate's sums. */
    public static final int SUMS = MOST_SUM - LEAST_SUM + 1;

    /** Units per code of a gate. */
    public static final float GATE_STEP = 0x1p-8f;

    /** The largest code of a gate; the least is 0. */
    public static final int MOST_GATE = 255;

    /** Units per code of the candidate. */
    public static final float CANDIDATE_STEP = 0x1p-7f;

    /** The largest code of the candidate. */
    public static final int MOST_CANDIDATE = 127;

    /** Units per code of the memory. */
    public static final float MEMORY_STEP = 0x1p-12f;

    /** The largest code of the memory; the least is one below its negative. */
    public static final int MOST_MEMORY = Short.MAX_VALUE;

    /** The least code of the memory. */
    public static final int LEAST_MEMORY = Short.MIN_VALUE;

    /** The number of codes of the memory. */
    public static final int MEMORIES = MOST_MEMORY - LEAST_MEMORY + 1;

    /** Units per code of the memory's function. */
    public static final float VALUE_STEP = 0x1p-15f;

    private static final Set<Fixed> GATES = EnumSet.of(Fixed.SIGMOID, Fixed.HARD_SIGMOID);

    /* Values in [-1, 1]. */
    private static final Set<Fixed> FUNCTIONS =
            EnumSet.of(
                    Fixed.TANH,
                    Fixed.HARD_TANH,
                    Fixed.RECTIFIED_TANH,
                    Fixed.SOFTSIGN,
                    Fixed.SIGMOID,
                    Fixed.HARD_SIGMOID);

    /* Made once, because a table of the memory takes milliseconds. */
    private static final Map<Fixed, short[]> GATE_CODES = tables(GATES, GateTables::gates);
    private static final Map<Fixed, short[]> CANDIDATE_CODES =
            tables(FUNCTIONS, GateTables::candidates);
    private static final Map<Fixed, short[]> VALUE_CODES = tables(FUNCTIONS, GateTables::values);

    private final short[] gates;
    private final short[] candidates;
    private final short[] values;

    /**
     * Takes the tables of two functions.
     *
     * @param gate the function of the gates, with values from 0 to 1
     * @param function the function of the candidate and of the memory, with values from -1 to 1
     */
    public GateTables(ElementwiseFunction gate, ElementwiseFunction function) {
        this.gates = table(GATE_CODES, Require.given(gate, "gate"));
        this.candidates = table(CANDIDATE_CODES, Require.given(function, "function"));
        this.values = table(VALUE_CODES, function);
    }

    private static short[] table(Map<Fixed, short[]> tables, ElementwiseFunction function) {
        short[] table = function instanceof Fixed fixed ? tables.get(fixed) : null;
        Require.argument(table != null, "%s has no table; there are %s", function, tables.keySet());
        return Objects.requireNonNull(table);
    }

    private static Map<Fixed, short[]> tables(
            Set<Fixed> functions, Function<ElementwiseFunction, short[]> maker) {
        Map<Fixed, short[]> tables = new EnumMap<>(Fixed.class);
        functions.forEach(function -> tables.put(function, maker.apply(function)));
        return tables;
    }

    private static short[] gates(ElementwiseFunction function) {
        short[] codes = new short[SUMS];
        for (int i = 0; i < SUMS; i++) {
            double sum = (i + LEAST_SUM) * (double) SUM_STEP;
            codes[i] = rounded(function.apply(sum) / GATE_STEP, 0, MOST_GATE);
        }
        return codes;
    }

    private static short[] candidates(ElementwiseFunction function) {
        short[] codes = new short[SUMS];
        for (int i = 0; i < SUMS; i++) {
            double sum = (i + LEAST_SUM) * (double) SUM_STEP;
            codes[i] =
                    rounded(
                            function.apply(sum) / CANDIDATE_STEP,
                            -MOST_CANDIDATE - 1,
                            MOST_CANDIDATE);
        }
        return codes;
    }

    private static short[] values(ElementwiseFunction function) {
        short[] codes = new short[MEMORIES];
        for (int i = 0; i < MEMORIES; i++) {
            double memory = (i + LEAST_MEMORY) * (double) MEMORY_STEP;
            codes[i] =
                    rounded(function.apply(memory) / VALUE_STEP, -Short.MAX_VALUE, Short.MAX_VALUE);
        }
        return codes;
    }

    private static short rounded(double value, int least, int most) {
        return (short) Math.min(Math.max(Math.rint(value), least), most);
    }

    /**
     * {@return whether a function can be that of the gates: its values lie between 0 and 1}
     *
     * @param function a function
     */
    public static boolean isGate(ElementwiseFunction function) {
        return function instanceof Fixed fixed && GATES.contains(fixed);
    }

    /**
     * {@return whether a function can be that of the memory: its values lie between -1 and 1}
     *
     * @param function a function
     */
    public static boolean isBounded(ElementwiseFunction function) {
        return function instanceof Fixed fixed && FUNCTIONS.contains(fixed);
    }

    /**
     * {@return the code of a gate's sum}
     *
     * @param sum in units of {@link #SUM_STEP}, no NaN
     */
    public static int sum(float sum) {
        return (int) Math.min(Math.max(Math.rint(sum), LEAST_SUM), MOST_SUM);
    }

    /**
     * {@return the code of the memory after a step}
     *
     * @param forget the forget gate
     * @param before the memory before
     * @param modulation the gate of the candidate
     * @param candidate the candidate
     */
    public static int memory(int forget, int before, int modulation, int candidate) {
        int sum = forget * before + modulation * (candidate * PER_CANDIDATE);
        return (int) Math.min(Math.max(Math.rint(sum * GATE_STEP), LEAST_MEMORY), MOST_MEMORY);
    }

    /**
     * {@return the code of a value of the memory}
     *
     * @param value no NaN
     */
    public static int memoryCode(float value) {
        double code = Math.rint(value / MEMORY_STEP);
        return (int) Math.min(Math.max(code, LEAST_MEMORY), MOST_MEMORY);
    }

    /** Codes of the memory in one of the candidate. */
    public static final int PER_CANDIDATE = (int) (CANDIDATE_STEP / MEMORY_STEP);

    /**
     * {@return the code of a gate}
     *
     * @param sum the code of its sums
     */
    public int gate(int sum) {
        return gates[sum - LEAST_SUM];
    }

    /**
     * {@return the code of the candidate}
     *
     * @param sum the code of its sums
     */
    public int candidate(int sum) {
        return candidates[sum - LEAST_SUM];
    }

    /**
     * {@return the code of the memory's function}
     *
     * @param memory the code of the memory
     */
    public int value(int memory) {
        return values[memory - LEAST_MEMORY];
    }
}
