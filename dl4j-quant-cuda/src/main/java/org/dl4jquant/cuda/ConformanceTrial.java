// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Conformance;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.WarpgroupConformance;

/** Compares what single instructions return on a GPU with what they must. */
final class ConformanceTrial {

    /* For a group of warps there are so many words that fewer inputs do. */
    private static final int GROUPS_LESS = 10;

    private final CudaDriver driver;
    private final Program program;

    /**
     * Prepares a trial.
     *
     * @param driver whose context is entered
     * @param program one of {@link GpuRunner#conformance}
     */
    ConformanceTrial(CudaDriver driver, Program program) {
        this.driver = driver;
        this.program = program;
    }

    /**
     * {@return the first word that differs, in words; empty if all are equal}
     *
     * @param kernel one of the program's
     * @param inputs with how many random inputs
     */
    Optional<String> firstDifference(KernelSpec kernel, int inputs) {
        Architecture target = Architecture.valueOf(program.architecture().toUpperCase(Locale.ROOT));
        boolean groups = kernel.file().startsWith("conformance_");
        int examples = groups ? Math.max(1, inputs / GROUPS_LESS) : inputs;
        byte[] values =
                groups ? WarpgroupConformance.inputs(examples, 1) : Conformance.inputs(examples, 1);
        int[] expected =
                groups
                        ? WarpgroupConformance.expected(values)
                        : Conformance.expected(values, target);
        int[] found = launch(kernel, values, expected.length, examples);
        int at = Arrays.mismatch(expected, found);
        return at < 0
                ? Optional.empty()
                : Optional.of("word " + at + " is " + found[at] + ", not " + expected[at]);
    }

    private int[] launch(KernelSpec kernel, byte[] inputs, int words, int examples) {
        Resources resources = new Resources();
        try {
            ByteBuffer cubin = Objects.requireNonNull(program.cubins().get(kernel.entry()));
            byte[] image = new byte[cubin.remaining()];
            cubin.duplicate().get(image);
            long module = driver.loadModule(image);
            resources.add(() -> driver.unloadModule(module));
            long function = driver.function(module, kernel.entry());
            driver.setDynamicSharedMemory(function, kernel.launch().sharedBytes());
            long from = driver.allocate(inputs.length);
            resources.add(() -> driver.free(from));
            long to = driver.allocate((long) words * Integer.BYTES);
            resources.add(() -> driver.free(to));
            ByteBuffer direct = ByteBuffer.allocateDirect(inputs.length).put(inputs).flip();
            try {
                driver.copyToDevice(from, direct, 0);
                driver.synchronize();
            } finally {
                Reference.reachabilityFence(direct);
            }
            driver.launch(
                    function,
                    kernel.launch().rows(examples),
                    kernel.launch().columns(),
                    kernel.launch().threads(),
                    kernel.launch().sharedBytes(),
                    0,
                    new long[] {from, to, examples});
            ByteBuffer results =
                    ByteBuffer.allocateDirect(words * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            driver.copyToHost(results, to, 0);
            driver.synchronize();
            int[] found = new int[words];
            results.asIntBuffer().get(found);
            return found;
        } finally {
            resources.close();
        }
    }
}
