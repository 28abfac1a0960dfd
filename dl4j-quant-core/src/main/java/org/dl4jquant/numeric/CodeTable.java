// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.dl4jquant.check.Require;

/**
 * An element-wise function as a table: one output code for each of the 256 container bytes.
 *
 * <p>Entry {@code i} belongs to the container byte {@code i} read as unsigned, so a signed code
 * {@code c} is found at {@code c & 0xff}. Codes outside the input's range never occur; their
 * entries hold the entry of the nearest code of the range.
 */
public final class CodeTable {

    /** How many entries a table has. */
    public static final int SIZE = 256;

    private final byte[] entries;

    private CodeTable(byte[] entries) {
        this.entries = entries;
    }

    /**
     * Returns a table that holds the given entries exactly.
     *
     * @param entries 256 container bytes of output codes, ordered by input container byte; copied
     * @return the table
     * @throws IllegalArgumentException if there are not 256 entries
     */
    public static CodeTable of(byte[] entries) {
        Require.argument(
                entries.length == SIZE, "%d entries are no table; it has %d", entries.length, SIZE);
        return new CodeTable(entries.clone());
    }

    /**
     * Returns the table of a function: each code's value through the function, in float64, rounded
     * to float32 and then to the nearest output code.
     *
     * @param function a function that is finite on the input's values
     * @param input how the input's codes stand for values
     * @param output how the output's codes stand for values
     * @return the table
     * @throws IllegalArgumentException if the function is not finite on one of the values
     */
    public static CodeTable from(
            DoubleUnaryOperator function, QuantParams input, QuantParams output) {
        byte[] entries = new byte[SIZE];
        boolean signed = input.range().signed();
        for (int i = 0; i < SIZE; i++) {
            int code = input.range().clamp(signed ? (byte) i : i);
            double value = function.applyAsDouble(input.dequantize(code));
            Require.argument(
                    Float.isFinite((float) value),
                    "the function's value at code %d (%s) is %s, which no code stands for",
                    code,
                    input.dequantize(code),
                    value);
            entries[i] = (byte) output.quantize((float) value);
        }
        return new CodeTable(entries);
    }

    /**
     * {@return the output's container byte}
     *
     * @param container the input's container byte
     */
    public byte lookUp(byte container) {
        return entries[container & 0xff];
    }

    /** {@return a copy of the 256 entries, ordered by input container byte} */
    public byte[] entries() {
        return entries.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CodeTable table && Arrays.equals(entries, table.entries);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(entries);
    }

    @Override
    public String toString() {
        return "CodeTable" + Arrays.toString(entries);
    }
}
