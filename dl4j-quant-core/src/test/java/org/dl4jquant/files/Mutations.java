// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Logger;

/**
 * Damages files at random, as disks, copies and strangers do, and requires that a reader refuses
 * them with a message, or finds in them what was there.
 */
public final class Mutations {

    /** How many are tried in the default build. */
    public static final int FEW = 400;

    /** How many are tried by tests that are tagged {@code thorough}. */
    public static final int MANY = 10_000;

    private static final int MOST_SECONDS = 10;
    private static final int[] LENGTHS = {
        0, 1, 2, 7, 255, 65_536, 1 << 28, 1 << 30, Integer.MAX_VALUE, Integer.MIN_VALUE, -1, -2
    };

    private final Random random;

    private Mutations(long seed) {
        this.random = new Random(seed);
    }

    /** Reads a damaged file, and compares it with what was written. */
    @FunctionalInterface
    public interface Reader {

        /**
         * Reads bytes.
         *
         * @param damaged the bytes of a file
         * @return the fault of the text that was read; empty if it is the one that was written
         * @throws IOException if they are refused
         */
        String read(byte[] damaged) throws IOException;
    }

    /**
     * Requires that no damage goes unseen, takes long, or throws what nobody expects.
     *
     * @param whole an undamaged file, which must be read without a fault
     * @param count how many mutations are tried
     * @param reader reads and compares
     * @return how many were refused; the others hold what was written
     */
    public static int survive(byte[] whole, int count, Reader reader) {
        // What is cut off or left out is told each time.
        Logger log = Logger.getLogger(Mutations.class.getPackageName());
        log.setUseParentHandlers(false);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        int refused = 0;
        try {
            assertTrue(!attempt(thread, reader, whole.clone(), -1), "the file itself is refused");
            for (int seed = 0; seed < count; seed++) {
                byte[] damaged = new Mutations(seed).damage(whole);
                refused += attempt(thread, reader, damaged, seed) ? 1 : 0;
            }
        } finally {
            thread.shutdownNow();
            log.setUseParentHandlers(true);
        }
        return refused;
    }

    /* Whether the bytes are refused. */
    private static boolean attempt(ExecutorService thread, Reader reader, byte[] bytes, int seed) {
        try {
            String wrong =
                    thread.submit(() -> reader.read(bytes)).get(MOST_SECONDS, TimeUnit.SECONDS);
            if (!wrong.isEmpty()) {
                fail("mutation " + seed + " is read as something else: " + wrong);
            }
            return false;
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (!isRefusal(cause) || String.valueOf(cause.getMessage()).length() < 10) {
                fail("mutation " + seed + " of " + bytes.length + " bytes" + shown(bytes), cause);
            }
            return true;
        } catch (TimeoutException e) {
            return fail("mutation " + seed + " takes more than 10 s" + shown(bytes));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isRefusal(Throwable thrown) {
        return thrown instanceof IOException
                || thrown instanceof UncheckedIOException
                || thrown.getClass() == IllegalArgumentException.class
                || thrown.getClass() == IllegalStateException.class;
    }

    private static String shown(byte[] bytes) {
        return bytes.length > 200 ? "" : ": " + HexFormat.of().formatHex(bytes);
    }

    /**
     * Returns a damaged copy.
     *
     * @param whole some bytes
     * @param seed which damage
     * @return other bytes, most often
     */
    public static byte[] damaged(byte[] whole, int seed) {
        return new Mutations(seed).damage(whole);
    }

    private byte[] damage(byte[] whole) {
        byte[] damaged = whole.clone();
        int times = random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 1;
        for (int i = 0; i < times && damaged.length > 0; i++) {
            damaged = once(damaged);
        }
        return damaged;
    }

    private byte[] once(byte[] bytes) {
        int at = random.nextInt(bytes.length);
        int to = at + random.nextInt(Math.min(64, bytes.length - at) + 1);
        return switch (random.nextInt(9)) {
            case 0, 1 -> with(bytes, at, bytes[at] ^ (1 << random.nextInt(8)));
            case 2 -> with(bytes, at, random.nextInt(256));
            case 3 -> Arrays.copyOf(bytes, at);
            case 4 -> spliced(bytes, to, Arrays.copyOfRange(bytes, at, to), to);
            case 5 -> spliced(bytes, at, new byte[0], to);
            case 6, 7 -> length(bytes, at);
            default -> spliced(bytes, at, noise(to - at), to);
        };
    }

    private static byte[] with(byte[] bytes, int at, int changed) {
        bytes[at] = (byte) changed;
        return bytes;
    }

    private byte[] noise(int length) {
        byte[] noise = new byte[length];
        random.nextBytes(noise);
        return noise;
    }

    /* A number of 4 bytes, in either order, or a digit of a text. */
    private byte[] length(byte[] bytes, int at) {
        if (random.nextInt(3) == 0) {
            for (int i = at; i < bytes.length; i++) {
                if (bytes[i] >= '0' && bytes[i] <= '9') {
                    bytes[i] = (byte) ('0' + random.nextInt(10));
                    return bytes;
                }
            }
        }
        int number = LENGTHS[random.nextInt(LENGTHS.length)];
        int place = random.nextBoolean() ? at / 4 * 4 : at;
        boolean big = random.nextBoolean();
        for (int i = 0; i < 4 && place + i < bytes.length; i++) {
            bytes[place + i] = (byte) (number >>> (8 * (big ? 3 - i : i)));
        }
        return bytes;
    }

    private static byte[] spliced(byte[] bytes, int from, byte[] middle, int to) {
        byte[] result = new byte[from + middle.length + bytes.length - to];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(middle, 0, result, from, middle.length);
        System.arraycopy(bytes, to, result, from + middle.length, bytes.length - to);
        return result;
    }
}
