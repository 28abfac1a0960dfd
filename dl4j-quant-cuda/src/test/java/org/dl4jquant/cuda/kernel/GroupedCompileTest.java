// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernels of groups become good machine code for every architecture. */
class GroupedCompileTest {

    private static final int REGISTERS_OF_A_MULTIPROCESSOR = 65_536;
    private static final int LARGE = 256;

    private static final ImageLayout IMAGE = GemmCases.image(96, 56, 56);

    private static GroupedTrial.Case square(int kernel, int stride) {
        return GroupedTrial.Case.depthwise(IMAGE, GemmCases.window(kernel, stride, kernel / 2));
    }

    private static GroupedTrial.Case dilated() {
        return GroupedTrial.Case.depthwise(
                IMAGE,
                new Window(
                        new Extent(3, 5),
                        new Extent(2, 1),
                        new Extent(3, 2),
                        new Extent(2, 3),
                        new Extent(4, 1)));
    }

    private static List<KernelSpec> kernels() {
        Window window = GemmCases.window(3, 1, 1);
        List<KernelSpec> large =
                Stream.of(
                                square(3, 1),
                                square(3, 2),
                                square(5, 1).withInput(GemmCases.params(GemmCases.INT8, -3)),
                                square(5, 2),
                                square(7, 1),
                                square(31, 1),
                                dilated(),
                                GroupedTrial.Case.of(IMAGE, window, 96, 288),
                                GroupedTrial.Case.of(IMAGE, window, 12, 96),
                                square(3, 1).withOutput(new Output.Floats()))
                        .map(problem -> problem.withExamples(1))
                        .map(problem -> new GroupedTrial(problem, 1).kernel(LARGE))
                        .toList();
        KernelSpec single = new GroupedTrial(square(3, 1).withExamples(1), 1).kernel(1);
        return Stream.concat(large.stream(), Stream.of(single)).toList();
    }

    private static final List<KernelSpec> KERNELS = kernels();

    /* All for the oldest and the newest, the commonest for each. */
    private static List<KernelSpec> kernels(Architecture architecture) {
        boolean all = architecture == Architecture.SM_75 || architecture == Architecture.SM_90A;
        return all ? KERNELS : KERNELS.subList(0, 3);
    }

    @ParameterizedTest
    @EnumSource
    void spillsNothing(Architecture architecture) {
        assertAll(
                kernels(architecture).parallelStream()
                        .<Executable>map(kernel -> check(kernel, architecture))
                        .toList());
    }

    private static Executable check(KernelSpec kernel, Architecture architecture) {
        CompiledCuda compiled = CompiledKernels.compile(kernel, architecture);
        CubinInspection found = CubinInspection.of(compiled.cubin()).get(kernel.entry());
        String what = kernel + " for " + architecture + ": " + found + "\n" + compiled.log();
        int registers = found.registers() * kernel.launch().threads() * kernel.minBlocks();
        return () -> {
            assertEquals(0, found.localBytesWritten() + found.localBytesRead(), what);
            assertEquals(0, found.stackBytes(), what);
            assertTrue(registers <= REGISTERS_OF_A_MULTIPROCESSOR, what);
        };
    }

    @ParameterizedTest
    @EnumSource
    void becomesTheSameBytesEachTime(Architecture architecture) {
        KernelSpec kernel = KERNELS.get(1);
        assertArrayEquals(
                CompiledKernels.compile(kernel, architecture).cubin(),
                CompiledKernels.compile(kernel, architecture).cubin());
    }
}
