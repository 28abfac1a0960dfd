// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class KernelSpecTest {

    private static final Launch LAUNCH = new Launch(100, 64, 2, 128, 0);

    private static KernelSpec spec(String constant, String value) {
        TreeMap<String, String> constants = new TreeMap<>();
        constants.put(constant, value);
        return new KernelSpec("add.cu", constants, LAUNCH, 1);
    }

    @Test
    void oneKernelHasOneName() {
        assertEquals(spec("QK_C", "16").entry(), spec("QK_C", "16").entry());
        assertEquals(18, spec("QK_C", "16").entry().length());
        assertNotEquals(spec("QK_C", "16").entry(), spec("QK_C", "17").entry());
        assertNotEquals(spec("QK_C", "16").entry(), spec("QK_D", "16").entry());
    }

    @Test
    void macrosAreConstantsEntryAndLaunch() {
        assertEquals(
                "{QK_C=16, QK_ENTRY="
                        + spec("QK_C", "16").entry()
                        + ", QK_MIN_BLOCKS=1, QK_THREADS=128}",
                spec("QK_C", "16").macros().toString());
    }

    @Test
    void productsSayHowTheyAreCut() {
        assertEquals("", spec("QK_C", "16").tile());
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(64, 8, 8), GemmCases.window(3, 1, 1), 64);
        GemmTactic whole = new GemmTactic(Tile.M64_N64_K64, 1);
        GemmTactic split = new GemmTactic(Tile.M64_N64_K64, 3);
        assertEquals("64x64x64", GemmKernel.of(problem, whole, Architecture.SM_80).tile());
        assertEquals("64x64x64 / 3", GemmKernel.of(problem, split, Architecture.SM_80).tile());
    }

    @Test
    void blocksCoverAllExamples() {
        assertEquals(2, LAUNCH.rows(1));
        assertEquals(5, LAUNCH.rows(3));
        assertEquals(
                "a launch for 0 examples",
                assertThrows(IllegalArgumentException.class, () -> LAUNCH.rows(0)).getMessage());
    }

    @Test
    void refusesMoreExamplesThanAKernelCounts() {
        Launch pixels = new Launch(1 << 20, 128, 1, 128, 0);
        assertEquals(4095, pixels.mostExamples());
        assertEquals(4095 << 13, pixels.rows(4095));
        assertEquals(
                "a launch for 4096 examples of 1048576 units; at most 4095 examples are allowed",
                assertThrows(IllegalArgumentException.class, () -> pixels.rows(4096)).getMessage());
        assertEquals(Integer.MAX_VALUE, new Launch(1, 1, 1, 32, 0).mostExamples());
        assertEquals(
                "a launch of 4294967296 units an example; at most 4294901760 are allowed",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new Launch(1L << 32, 256, 1, 256, 0))
                        .getMessage());
    }

    @Test
    void refusesABlockOfPartsOfWarps() {
        assertEquals(
                "blocks of 100 threads; a multiple of 32 up to 1,024 is allowed",
                assertThrows(IllegalArgumentException.class, () -> new Launch(1, 1, 1, 100, 0))
                        .getMessage());
    }
}
