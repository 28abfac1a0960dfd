// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

/**
 * The softmax of int32 scores in integers: powers of e by a table of the distance to the largest
 * score, an exact sum of them, and one division.
 *
 * <p>{@code d = min(rint((float) (max - score) * steps), SIZE - 1)}, {@code e = TABLE[d] =
 * rint(exp(-d / STEPS) * 2^16)}, {@code p = (float) e / (float) sum(e)}, and the code of p. A row's
 * results depend on its scores only, in no order.
 */
public final class ExponentTable {

    /* A step of 1/256 changes a power by at most 0.2 percent, an eighth of a code of 8 bits; the
     * table ends where powers are 0. */

    /** How many entries the table has. */
    public static final int SIZE = 4096;

    /** How many entries a factor of e has. */
    public static final int STEPS = 256;

    /** The most terms of a sum: so many of the largest power fit int32. */
    public static final int MAX_TERMS = (1 << 15) - 1;

    private static final int ONE = 1 << 16;
    private static final int[] TABLE = table();

    private ExponentTable() {}

    private static int[] table() {
        int[] table = new int[SIZE];
        for (int d = 0; d < SIZE; d++) {
            table[d] = (int) Math.rint(StrictMath.exp(-(double) d / STEPS) * ONE);
        }
        return table;
    }

    /** {@return a copy of the table} */
    public static int[] toArray() {
        return TABLE.clone();
    }

    /**
     * {@return how many steps one unit of a score is}
     *
     * @param queryScale units per code of the queries
     * @param keyScale units per code of the keys
     * @param length over whose square root the scores are divided
     */
    public static float steps(float queryScale, float keyScale, int length) {
        return (float) ((double) (queryScale * keyScale) / Math.sqrt(length) * STEPS);
    }

    /**
     * Computes a row of a softmax.
     *
     * @param scores holds the scores, any two of them less than 2^31 apart; takes the powers
     * @param start the first score of the row
     * @param count how many there are
     * @param steps how many steps one unit of a score is
     * @param params how the codes stand for values
     * @param containers takes the codes, at the scores' places
     */
    public static void softmax(
            int[] scores,
            int start,
            int count,
            float steps,
            QuantParams params,
            byte[] containers) {
        int most = Integer.MIN_VALUE;
        for (int i = start; i < start + count; i++) {
            most = Math.max(most, scores[i]);
        }
        int sum = 0;
        for (int i = start; i < start + count; i++) {
            float distance = (float) Math.rint((most - scores[i]) * steps);
            scores[i] = TABLE[(int) Math.min(distance, SIZE - 1)];
            sum += scores[i];
        }
        for (int i = start; i < start + count; i++) {
            containers[i] = (byte) params.quantize((float) scores[i] / (float) sum);
        }
    }
}
