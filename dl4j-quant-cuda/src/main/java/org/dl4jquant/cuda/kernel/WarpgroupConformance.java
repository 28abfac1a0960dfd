// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Random;
import java.util.TreeMap;
import org.dl4jquant.check.Require;

/**
 * What the products of warpgroups of {@code device.cuh} return for random operands, said in plain
 * Java: a GPU of {@link Architecture#SM_90A}, or whatever stands for one, runs {@code
 * conformance_warpgroup.cu} on {@link #inputs} and must return {@link #expected}.
 */
public final class WarpgroupConformance {

    /** Bytes of one example's operands. */
    public static final int INPUT_BYTES = 40_960;

    /** Words of one example's results. */
    public static final int RESULT_WORDS = 45_056;

    private static final int THREADS = 128;
    private static final int THREAD_WORDS = RESULT_WORDS / THREADS;
    private static final int WARP = 32;
    private static final int ROW = 128;
    private static final int QUARTER = 32;
    private static final int RIGHT = 64 * ROW;

    private final byte[] inputs;
    private final int example;
    private final int thread;

    private WarpgroupConformance(byte[] inputs, int example, int thread) {
        this.inputs = inputs;
        this.example = example;
        this.thread = thread;
    }

    /** {@return the kernel; arguments: inputs, results, examples} */
    public static KernelSpec kernel() {
        Launch launch = new Launch(1, 1, 1, THREADS, INPUT_BYTES);
        return new KernelSpec("conformance_warpgroup.cu", new TreeMap<>(), launch, 1);
    }

    /**
     * {@return random operands}
     *
     * @param examples how many
     * @param seed of the random numbers
     */
    public static byte[] inputs(int examples, long seed) {
        Require.argument(examples >= 1, "operands of %d examples", examples);
        byte[] bytes = new byte[examples * INPUT_BYTES];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /**
     * {@return the results}
     *
     * @param inputs operands from {@link #inputs}
     */
    public static int[] expected(byte[] inputs) {
        Require.argument(
                inputs.length % INPUT_BYTES == 0,
                "%d bytes of operands; an example has %d",
                inputs.length,
                INPUT_BYTES);
        int[] results = new int[inputs.length / INPUT_BYTES * RESULT_WORDS];
        for (int i = 0; i < results.length; i++) {
            int thread = i % RESULT_WORDS / THREAD_WORDS;
            results[i] =
                    new WarpgroupConformance(inputs, i / RESULT_WORDS, thread)
                            .word(i % THREAD_WORDS);
        }
        return results;
    }

    private int word(int index) {
        if (index < 128) {
            return 1 + index + product(index, false, 0, 1, 2, 3);
        }
        if (index < 192) {
            return -7 + index - 128 + product(index - 128, true, 0, 3);
        }
        if (index >= 256) {
            return 300 + index - 256 + product(index - 256, true, 1);
        }
        int sum = index % 32;
        return index < 224 ? 100 + sum + product(sum, false, 2) : 200 + sum + product(sum, true, 2);
    }

    /* A warp has 16 rows; four lanes share a row of every eight columns, and the one eight below. */
    private int product(int index, boolean unsigned, int... quarters) {
        int row = thread / WARP * 16 + thread % WARP / 4 + index / 2 % 2 * 8;
        int column = index / 4 * 8 + thread % 4 * 2 + index % 2;
        int left = example * INPUT_BYTES + row * ROW;
        int right = example * INPUT_BYTES + RIGHT + column * ROW;
        int sum = 0;
        for (int quarter : quarters) {
            for (int k = quarter * QUARTER; k < (quarter + 1) * QUARTER; k++) {
                byte code = inputs[left + k];
                sum += (unsigned ? code & 0xff : code) * inputs[right + k];
            }
        }
        return sum;
    }
}
