// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.CompiledKernels;
import org.dl4jquant.cuda.kernel.CubinInspection;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernels that random graphs need become good machine code for every architecture. */
class PlannedKernelsCompileTest {

    private static final int GRAPHS = 40;
    private static final int OF_A_KIND = 3;

    /* Some kernels of each source but the products of matrices, which have tests of their own. */
    private static List<KernelSpec> kernels(Architecture architecture) {
        Map<String, List<KernelSpec>> kernels = new TreeMap<>();
        for (long seed = 0; seed < GRAPHS; seed++) {
            IntGraph graph = RandomGraph.without(GpuSupport.refusedKinds(), seed).graph();
            for (KernelSpec kernel : Planner.run(graph, architecture, 1).kernels()) {
                List<KernelSpec> kind =
                        kernels.computeIfAbsent(kernel.file(), file -> new ArrayList<>());
                if (kind.size() < OF_A_KIND && !kind.contains(kernel)) {
                    kind.add(kernel);
                }
            }
        }
        kernels.remove("igemm.cu");
        assertTrue(kernels.size() >= 8, kernels.keySet().toString());
        return kernels.values().stream().flatMap(List::stream).toList();
    }

    @ParameterizedTest
    @EnumSource(names = {"SM_75", "SM_90A"})
    void spillsNothingAndIsTheSameEachTime(Architecture architecture) {
        requireNoSpills(architecture);
    }

    @Tag("thorough")
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"SM_75", "SM_90A"})
    void spillsNothingAndIsTheSameEachTimeOnTheOthers(Architecture architecture) {
        requireNoSpills(architecture);
    }

    private static void requireNoSpills(Architecture architecture) {
        for (KernelSpec kernel : kernels(architecture)) {
            CompiledCuda compiled = CompiledKernels.compile(kernel, architecture);
            CubinInspection found = CubinInspection.of(compiled.cubin()).get(kernel.entry());
            String what = kernel + ": " + found;
            assertEquals(0, found.localBytesWritten() + found.localBytesRead(), what);
            assertEquals(0, found.stackBytes(), what);
            assertArrayEquals(
                    compiled.cubin(), CompiledKernels.compile(kernel, architecture).cubin());
        }
    }
}
