// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.cuda.driver.CudaCompiler;
import org.dl4jquant.cuda.driver.CudaCompilers;
import org.dl4jquant.cuda.driver.CudaSource;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.CubinInspection;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Test;

class EngineCompilerTest {

    private static final IntGraph GRAPH = Networks.leNet(8);

    @Test
    void compilesEachKernelOnceForEachArchitecture() {
        List<String> told = new ArrayList<>();
        EngineCompiler compiler =
                EngineCompiler.of(CudaCompilers.nvrtc())
                        .withProgress(
                                (done, total, kernel) ->
                                        told.add(done + "/" + total + " " + kernel));
        EngineFile engine = compiler.compile(GRAPH, Target.parse("sm_75, sm_90a").withTraces());
        assertEquals(List.of("sm_75", "sm_90a"), engine.architectures());
        assertEquals(4, engine.programs().size());
        assertTrue(engine.compiler().startsWith("NVRTC "), engine.compiler());
        long kernels =
                engine.programs().stream()
                        .flatMap(
                                program ->
                                        program.plan().kernels().stream()
                                                .map(each -> program.architecture() + each.entry()))
                        .distinct()
                        .count();
        assertEquals(kernels, told.size());
        assertTrue(told.get(told.size() - 1).startsWith(kernels + "/" + kernels + " "));
        for (Program program : engine.programs()) {
            program.cubins()
                    .forEach(
                            (entry, cubin) -> {
                                byte[] bytes = new byte[cubin.remaining()];
                                cubin.duplicate().get(bytes);
                                assertEquals(0, CubinInspection.of(bytes).get(entry).stackBytes());
                            });
        }
    }

    @Test
    void refusesAnArchitectureThatTheCompilerDoesNotKnow() {
        assertEquals(
                "a stub does not compile for sm_75; it compiles for [80]",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> compile(new Stub(), Target.of(Architecture.SM_75)))
                        .getMessage());
    }

    @Test
    void endsWithTheFirstKernelThatDoesNotCompile() {
        assertEquals(
                "no room",
                assertThrows(
                                IllegalStateException.class,
                                () -> compile(new Stub(), Target.of(Architecture.SM_80)))
                        .getMessage());
    }

    @Test
    void endsWhenItsThreadIsInterrupted() {
        Thread.currentThread().interrupt();
        assertThrows(
                CancellationException.class,
                () -> compile(new Stub(), Target.of(Architecture.SM_80)));
        assertTrue(Thread.interrupted());
    }

    @Test
    void namesTheArchitecturesThatItKnows() {
        assertEquals(
                "'sm_70' is no architecture that engines are compiled for; known are [sm_75, sm_80,"
                        + " sm_86, sm_89, sm_90, sm_90a]",
                assertThrows(IllegalArgumentException.class, () -> Target.parse("sm_80,sm_70"))
                        .getMessage());
        assertEquals(
                new Target(List.of(Architecture.SM_80), 8, false, 0), Target.parse("sm_80,sm_80"));
    }

    private static EngineFile compile(CudaCompiler compiler, Target target) {
        return EngineCompiler.of(compiler).compile(GRAPH, target);
    }

    /** A compiler that always fails. */
    private static final class Stub implements CudaCompiler {

        @Override
        public String version() {
            return "a stub";
        }

        @Override
        public List<Integer> architectures() {
            return List.of(80);
        }

        @Override
        public CompiledCuda compile(CudaSource source, List<String> options) {
            throw new IllegalStateException("no room");
        }
    }
}
