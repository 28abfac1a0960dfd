// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The shim itself, with a kernel that reverses runs of 64 bytes through shared memory. */
class EmulatedKernelsTest {

    private static final int RUN = 64;
    private static final int EXAMPLES = 5;
    private static final KernelSpec REVERSE =
            new KernelSpec("reverse.cu", new TreeMap<>(), new Launch(RUN, RUN, 1, RUN, RUN), 1);

    private static Optional<String> launch(EmulatedKernels kernels, KernelSpec spec, long seed) {
        return kernels.of(spec).launch(EXAMPLES, seed, bytes(), new Memory(RUN * EXAMPLES));
    }

    private static Memory bytes() {
        byte[] bytes = new byte[RUN * EXAMPLES];
        new Random(7).nextBytes(bytes);
        return memory(bytes);
    }

    private static Memory memory(byte[] bytes) {
        Memory memory = new Memory(bytes.length);
        memory.write(0, bytes, 0, bytes.length);
        return memory;
    }

    private static String faultAfter(String from, String to) {
        EmulatedKernels edited =
                EmulatedKernels.available()
                        .edited(
                                source -> {
                                    assertTrue(source.contains(from), from);
                                    return source.replace(from, to);
                                });
        return launch(edited, REVERSE, 0).orElse("none");
    }

    @Test
    void runsAKernelUnderEverySchedule() {
        Memory input = bytes();
        byte[] expected = new byte[RUN * EXAMPLES];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = input.getByte(i / RUN * RUN + RUN - 1 - i % RUN);
        }
        for (long seed = 0; seed < 5; seed++) {
            Memory output = new Memory(expected.length);
            assertEquals(
                    Optional.empty(),
                    EmulatedKernels.available().of(REVERSE).launch(EXAMPLES, seed, input, output));
            assertArrayEquals(expected, output.getByteArray(0, expected.length));
        }
    }

    @Test
    void buffersLiveForAsLongAsTheKernelRuns() {
        EmulatedKernel kernel = EmulatedKernels.available().of(REVERSE);
        int examples = 3000;
        byte[] ones = new byte[RUN * examples];
        Arrays.fill(ones, (byte) 1);
        // Often enough that launch is compiled, which is when it no longer keeps what it does not
        // read.
        for (int i = 0; i < 20000; i++) {
            kernel.launch(1, 0, memory(new byte[RUN]), new Memory(RUN));
        }
        AtomicBoolean done = new AtomicBoolean();
        Thread collector =
                new Thread(
                        () -> {
                            while (!done.get()) {
                                System.gc();
                                for (int i = 0; i < 8; i++) {
                                    new Memory(ones.length).setMemory(0, ones.length, (byte) 2);
                                }
                            }
                        });
        collector.start();
        for (int i = 0; i < 12; i++) {
            Memory output = new Memory(ones.length);
            assertEquals(Optional.empty(), kernel.launch(examples, 0, memory(ones), output));
            assertArrayEquals(ones, output.getByteArray(0, ones.length));
        }
        done.set(true);
    }

    @Test
    void aMissingBarrierShowsSpoiltMemory() {
        EmulatedKernels edited =
                EmulatedKernels.available().edited(source -> source.replace("sync_threads();", ""));
        Memory output = new Memory(RUN * EXAMPLES);
        assertEquals(Optional.empty(), edited.of(REVERSE).launch(EXAMPLES, 0, bytes(), output));
        assertEquals((byte) 0xA5, output.getByte(0));
    }

    @Test
    void reportsABarrierThatSomeThreadsMiss() {
        assertEquals(
                "block (0, 0): deadlock: 32 threads ended, 32 wait at the barrier of line 12",
                faultAfter(
                        "sync_threads();",
                        "if (index % 64 < 32) { sync_threads(); } else { return; }"));
    }

    @Test
    void reportsBarriersOfDifferentLines() {
        assertEquals(
                "block (0, 0), thread 1: is at the barrier of line 13 while others are at that of"
                        + " line 12",
                faultAfter(
                        "sync_threads();",
                        "if (index % 2 == 0) { sync_threads();\n } else { sync_threads(); }"));
    }

    @Test
    void reportsAWarpThatIsNotTogether() {
        assertEquals(
                "block (0, 0): deadlock: 62 threads ended, 2 wait for their warp at shuffle of line"
                        + " 12",
                faultAfter(
                        "sync_threads();", "if (index % 32 > 0) { return; } shuffle_xor(1, 1);"));
        assertEquals(
                "block (0, 0), thread 1: is at barrier",
                faultAfter(
                                "sync_threads();",
                                "if (index % 2 == 0) { shuffle_xor(1, 1);\n } else { shuffle_xor(1,"
                                        + " 1); }")
                        .replaceAll(
                                "shuffle of line 13 while its warp is at shuffle.*", "barrier"));
    }

    @Test
    void reportsAccessesOutsideMemory() {
        assertEquals(
                "block (0, 0), thread 63: a store of 1 bytes at 64 leaves the 64 bytes of shared"
                        + " memory",
                faultAfter("(thread_index(), load", "(thread_index() + 1, load"));
        assertEquals(
                "block (4, 0), thread 63: a load of 1 bytes at 320 leaves buffer 0, which has 320"
                        + " bytes",
                faultAfter("load_global(input + index)", "load_global(input + index + 1)"));
    }

    @Test
    void reportsCopiesThatNobodyWaitsFor() {
        assertEquals(
                "block (0, 0), thread 0: 1 asynchronous copies were never waited for",
                faultAfter("sync_threads();", "copy_async<16>(0, input, false);sync_threads();"));
    }

    @Test
    void saysWhatTheCompilerRefuses() {
        EmulatedKernels edited =
                EmulatedKernels.available().edited(source -> source.replace("u8*", "u9*"));
        String message =
                assertThrows(IllegalStateException.class, () -> edited.of(REVERSE)).getMessage();
        assertTrue(message.contains("'u9' does not name a type"), message);
    }

    /** Classes of tests run at once, and an edit leaves most sources as they are. */
    @Test
    void oneLibraryServesManyKernelsAtOnce() {
        EmulatedKernels kernels = EmulatedKernels.available();
        List<EmulatedKernel> same =
                IntStream.range(0, 4)
                        .mapToObj(i -> kernels.edited(source -> source).of(REVERSE))
                        .toList();
        List<CompletableFuture<Optional<String>>> launches = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            EmulatedKernel kernel = same.get(i % same.size());
            long seed = i;
            launches.add(
                    CompletableFuture.supplyAsync(
                            () -> {
                                Memory input = new Memory((long) RUN * EXAMPLES);
                                Memory output = new Memory((long) RUN * EXAMPLES);
                                return kernel.launch(EXAMPLES, seed, input, output);
                            }));
        }
        launches.forEach(launch -> assertEquals(Optional.empty(), launch.join()));
    }
}
