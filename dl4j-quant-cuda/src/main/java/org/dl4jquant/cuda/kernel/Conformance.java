// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.TreeMap;
import org.dl4jquant.check.Require;

/**
 * What every function of {@code device.cuh} returns for random operands, said in plain Java: a GPU,
 * or whatever stands for one, runs {@code conformance.cu} on {@link #inputs} and must return {@link
 * #expected}.
 */
public final class Conformance {

    /** Bytes of one example's operands. */
    public static final int INPUT_BYTES = 1152;

    /** Words of one example's results. */
    public static final int RESULT_WORDS = 1216;

    private static final int LANES = 32;
    private static final int LANE_WORDS = 38;
    private static final int ROW = 32;
    private static final int RIGHT = 512;
    private static final int FLOATS = 768;
    private static final int SHARED = 1280;
    private static final int LARGEST_EXPONENT = 40;

    private final ByteBuffer input;
    private final int example;
    private final boolean async;

    private Conformance(ByteBuffer input, int example, boolean async) {
        this.input = input;
        this.example = example;
        this.async = async;
    }

    /**
     * {@return the kernel; arguments: inputs, results, examples}
     *
     * @param architecture what it is compiled for
     */
    public static KernelSpec kernel(Architecture architecture) {
        TreeMap<String, String> constants = new TreeMap<>();
        constants.put("QK_ASYNC", architecture.copiesAsync() ? "1" : "0");
        return new KernelSpec("conformance.cu", constants, new Launch(1, 1, 1, LANES, SHARED), 1);
    }

    /**
     * {@return random operands}
     *
     * @param examples how many
     * @param seed of the random numbers
     */
    public static byte[] inputs(int examples, long seed) {
        Require.argument(examples >= 1, "operands of %d examples", examples);
        Random random = new Random(seed);
        byte[] bytes = new byte[examples * INPUT_BYTES];
        random.nextBytes(bytes);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int example = 0; example < examples; example++) {
            for (int i = FLOATS; i < INPUT_BYTES; i += Float.BYTES) {
                buffer.putFloat(example * INPUT_BYTES + i, number(random));
            }
        }
        return bytes;
    }

    /* Ties between integers as well; no results without a number, whose bits differ by machine. */
    private static float number(Random random) {
        if (random.nextInt(4) == 0) {
            return random.nextInt(512) / 2f - 128.25f + random.nextInt(2) / 4f;
        }
        int exponent = random.nextInt(2 * LARGEST_EXPONENT) - LARGEST_EXPONENT;
        return Math.scalb(1 + random.nextFloat(), exponent) * (random.nextBoolean() ? 1 : -1);
    }

    /**
     * {@return the results}
     *
     * @param inputs operands from {@link #inputs}
     * @param architecture what the kernel is compiled for; before sm_80 it copies and multiplies
     *     less
     */
    public static int[] expected(byte[] inputs, Architecture architecture) {
        Require.argument(
                inputs.length % INPUT_BYTES == 0,
                "%d bytes of operands; an example has %d",
                inputs.length,
                INPUT_BYTES);
        ByteBuffer buffer = ByteBuffer.wrap(inputs).order(ByteOrder.LITTLE_ENDIAN);
        int[] results = new int[inputs.length / INPUT_BYTES * RESULT_WORDS];
        for (int i = 0; i < results.length; i++) {
            int example = i / RESULT_WORDS;
            int lane = i % RESULT_WORDS / LANE_WORDS;
            results[i] =
                    new Conformance(buffer, example, architecture.copiesAsync())
                            .word(lane, i % LANE_WORDS);
        }
        return results;
    }

    private int word(int lane, int index) {
        int left = loaded(lane, 0);
        int right = word(RIGHT + lane / 4 * ROW + lane % 4 * 4);
        if (index < 4) {
            return loaded(lane, index);
        }
        if (index < 16) {
            return product(lane, index - 4);
        }
        return switch (index) {
            case 16 -> dot(left, right, true) + 77;
            case 17 -> dot(left, right, false) - 77;
            case 18 -> permuted(left, right, loaded(lane, 1));
            case 19 -> loaded(lane ^ 5, 0);
            case 20 -> (int) Math.rint(number(lane, 0));
            case 32 -> packed(lane, Byte.MIN_VALUE, Byte.MAX_VALUE);
            case 33 -> packed(lane, 0, 255);
            case 34 -> larger(left, right, Byte.SIZE, true);
            case 35 -> larger(left, right, Byte.SIZE, false);
            case 36 -> larger(left, right, Short.SIZE, true);
            case 37 -> larger(left, right, Short.SIZE, false);
            case 28, 29, 30, 31 -> async ? piece(lane, index - 28) : 0;
            default -> Float.floatToRawIntBits(value(lane, index));
        };
    }

    private float value(int lane, int index) {
        float a = number(lane, 0);
        float b = number(lane, 1);
        return switch (index) {
            case 21 -> a * b;
            case 22 -> a + b;
            case 23 -> a / b;
            case 24 -> Math.fma(a, b, number(lane, 2));
            case 25 -> Math.min(a, b);
            case 26 -> Math.max(a, b);
            default -> (float) loaded(lane, 0);
        };
    }

    private int packed(int lane, int lowest, int highest) {
        int packed = 0;
        for (int i = 0; i < 2; i++) {
            int rounded = (int) Math.rint(number(lane, i));
            packed |= (Math.min(Math.max(rounded, lowest), highest) & 0xff) << (8 * i);
        }
        return packed;
    }

    private float number(int lane, int index) {
        return input.getFloat(example * INPUT_BYTES + FLOATS + (lane * 3 + index) * Float.BYTES);
    }

    private int word(int offset) {
        return input.getInt(example * INPUT_BYTES + offset);
    }

    /* Lanes share rows by fours; the second matrix is 8 rows below, the third 16 codes to the right. */
    private int loaded(int lane, int matrix) {
        return word((lane / 4 + matrix % 2 * 8) * ROW + lane % 4 * 4 + matrix / 2 * 16);
    }

    /* Four sums of 32 signed products, four of unsigned ones, and two each of 16. */
    private int product(int lane, int index) {
        boolean small = index >= 8;
        boolean signed = small ? index < 10 : index < 4;
        int start = small ? 7 - index : index + 1;
        if (!small && !async) {
            return start;
        }
        int row = lane / 4 + (small ? 0 : index % 4 / 2 * 8);
        int column = lane % 4 * 2 + index % 2;
        int sum = start;
        for (int k = 0; k < (small ? 16 : 32); k += 4) {
            sum += dot(word(row * ROW + k), word(RIGHT + column * ROW + k), signed);
        }
        return sum;
    }

    private static int dot(int left, int right, boolean signed) {
        int sum = 0;
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            byte code = (byte) (left >> shift);
            sum += (signed ? code : code & 0xff) * (byte) (right >> shift);
        }
        return sum;
    }

    private static int larger(int left, int right, int bits, boolean signed) {
        int result = 0;
        for (int shift = 0; shift < Integer.SIZE; shift += bits) {
            int unused = Integer.SIZE - bits;
            int l = left >> shift << unused;
            int r = right >> shift << unused;
            boolean first = signed ? l > r : Integer.compareUnsigned(l, r) > 0;
            result |= (first ? l : r) >>> unused << shift;
        }
        return result;
    }

    private static int permuted(int low, int high, int selector) {
        int result = 0;
        for (int i = 0; i < 4; i++) {
            int index = selector >> (4 * i) & 7;
            int from = index < 4 ? low : high;
            result |= (from >> (index % 4 * 8) & 0xff) << (8 * i);
        }
        return result;
    }

    private int piece(int lane, int index) {
        return switch (index) {
            case 0, 1 -> lane % 2 == 1 ? 0 : word(lane * 8 + index * 4);
            case 2 -> lane / 2 % 2 == 1 ? 0 : word(lane * 4);
            default -> lane;
        };
    }
}
