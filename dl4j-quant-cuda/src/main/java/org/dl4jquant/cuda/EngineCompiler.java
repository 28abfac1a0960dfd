// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.cuda.driver.CudaCompiler;
import org.dl4jquant.cuda.driver.CudaSource;
import org.dl4jquant.cuda.driver.Nvrtc;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.KernelSources;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Planner;
import org.dl4jquant.cuda.plan.Step;
import org.dl4jquant.graph.IntGraph;

/**
 * Compiles integer graphs to engines; needs neither a GPU nor a driver. Kernels are compiled by
 * several threads, each kernel once.
 *
 * @param compiler NVRTC or nvcc
 * @param threads how many kernels are compiled at once
 * @param progress is told of each kernel
 */
public record EngineCompiler(CudaCompiler compiler, int threads, Progress progress) {

    /** Is told how far the compiler is; by one thread. */
    @FunctionalInterface
    public interface Progress {

        /**
         * A kernel is compiled.
         *
         * @param done how many there are now
         * @param total how many there will be
         * @param kernel its source and what for
         */
        void compiled(int done, int total, String kernel);
    }

    private record Compiled(Architecture architecture, KernelSpec kernel, ByteBuffer cubin) {}

    /** Checks the number of threads. */
    public EngineCompiler {
        Objects.requireNonNull(compiler, "compiler");
        Objects.requireNonNull(progress, "progress");
        Require.argument(threads >= 1, "a compiler with %d threads", threads);
    }

    /**
     * {@return the compiler of this machine's NVRTC, with a thread for each processor}
     *
     * @throws CompilationException if there is no NVRTC
     */
    public static EngineCompiler find() {
        return of(Nvrtc.find());
    }

    /**
     * {@return a compiler with a thread for each processor}
     *
     * @param compiler NVRTC or nvcc
     */
    public static EngineCompiler of(CudaCompiler compiler) {
        int processors = Runtime.getRuntime().availableProcessors();
        return new EngineCompiler(compiler, processors, (done, total, kernel) -> {});
    }

    /**
     * {@return the same, which tells of its progress}
     *
     * @param listener who is told
     */
    public EngineCompiler withProgress(Progress listener) {
        return new EngineCompiler(compiler, threads, listener);
    }

    /**
     * {@return the engine of a graph}
     *
     * @param graph the graph
     * @param target the GPUs, and whether the engine can trace
     * @throws IllegalArgumentException if a node has no kernel; the message names it; or if the
     *     compiler does not know an architecture
     * @throws CompilationException if the compiler refuses a kernel
     * @throws CancellationException if the thread is interrupted; it stays so
     */
    public EngineFile compile(IntGraph graph, Target target) {
        List<Draft> drafts = new ArrayList<>();
        for (Architecture architecture : target.architectures()) {
            requireKnown(architecture);
            Plan run = Planner.run(graph, architecture, target.candidates());
            drafts.add(new Draft(architecture, Program.Purpose.RUN, run));
            if (target.traces()) {
                Plan trace = Planner.trace(graph, architecture);
                drafts.add(new Draft(architecture, Program.Purpose.TRACE, trace));
            }
        }
        Map<List<String>, ByteBuffer> cubins = compile(drafts);
        List<Program> programs = drafts.stream().map(draft -> draft.program(cubins)).toList();
        return new EngineFile(compiler.version(), graph.sha256(), graph.functions(), programs);
    }

    /* An engine of single kernels without tensors. */
    EngineFile single(
            List<Architecture> architectures, Function<Architecture, List<KernelSpec>> kernels) {
        List<Draft> drafts = new ArrayList<>();
        for (Architecture architecture : architectures) {
            requireKnown(architecture);
            List<Step> steps =
                    kernels.apply(architecture).stream()
                            .map(kernel -> new Step(kernel.file(), kernel, List.of()))
                            .toList();
            Plan plan = new Plan(steps, ByteBuffer.allocate(0), 0, List.of(), List.of());
            drafts.add(new Draft(architecture, Program.Purpose.RUN, plan));
        }
        Map<List<String>, ByteBuffer> cubins = compile(drafts);
        return new EngineFile(
                compiler.version(),
                "",
                drafts.stream().map(draft -> draft.program(cubins)).toList());
    }

    /** A program whose kernels are not compiled yet. */
    private record Draft(Architecture architecture, Program.Purpose purpose, Plan plan) {

        Program program(Map<List<String>, ByteBuffer> cubins) {
            Map<String, ByteBuffer> own = new LinkedHashMap<>();
            for (KernelSpec kernel : plan.kernels()) {
                own.put(
                        kernel.entry(),
                        Objects.requireNonNull(cubins.get(key(architecture, kernel))));
            }
            return new Program(architecture.target(), purpose, plan, own);
        }
    }

    private void requireKnown(Architecture architecture) {
        int number = Integer.parseInt(architecture.target().replaceAll("\\D", ""));
        Require.argument(
                compiler.architectures().contains(number),
                "%s does not compile for %s; it compiles for %s",
                compiler.version(),
                architecture.target(),
                compiler.architectures());
    }

    private static List<String> key(Architecture architecture, KernelSpec kernel) {
        return List.of(architecture.target(), kernel.entry());
    }

    private Map<List<String>, ByteBuffer> compile(List<Draft> drafts) {
        Map<List<String>, Callable<Compiled>> tasks = new LinkedHashMap<>();
        for (Draft draft : drafts) {
            for (KernelSpec kernel : draft.plan().kernels()) {
                Architecture architecture = draft.architecture();
                tasks.putIfAbsent(
                        key(architecture, kernel),
                        () -> new Compiled(architecture, kernel, cubin(architecture, kernel)));
            }
        }
        ExecutorService workers = Executors.newFixedThreadPool(threads);
        try {
            return compile(List.copyOf(tasks.values()), new ExecutorCompletionService<>(workers));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            CancellationException cancelled =
                    new CancellationException("interrupted while kernels were compiled");
            cancelled.initCause(e);
            throw cancelled;
        } finally {
            workers.shutdownNow();
        }
    }

    private Map<List<String>, ByteBuffer> compile(
            List<Callable<Compiled>> tasks, ExecutorCompletionService<Compiled> service)
            throws InterruptedException {
        tasks.forEach(service::submit);
        Map<List<String>, ByteBuffer> cubins = new LinkedHashMap<>();
        while (cubins.size() < tasks.size()) {
            Compiled compiled = result(service.take());
            cubins.put(key(compiled.architecture(), compiled.kernel()), compiled.cubin());
            progress.compiled(
                    cubins.size(),
                    tasks.size(),
                    compiled.kernel().file() + " for " + compiled.architecture().target());
        }
        return cubins;
    }

    private static Compiled result(Future<Compiled> future) throws InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private ByteBuffer cubin(Architecture architecture, KernelSpec kernel) {
        KernelSources sources = KernelSources.of(kernel.file());
        CudaSource source = new CudaSource(kernel.file(), sources.text(), sources.headers());
        List<String> options = KernelSources.options(kernel, architecture);
        return ByteBuffer.wrap(compiler.compile(source, options).cubin());
    }
}
