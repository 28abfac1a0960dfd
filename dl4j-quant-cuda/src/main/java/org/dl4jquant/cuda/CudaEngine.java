// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.driver.CachedCompiler;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.LibCuda;
import org.dl4jquant.cuda.driver.Nvrtc;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.GraphInputs;
import org.dl4jquant.graph.IntGraph;

/**
 * The engine {@code cuda}: runs an integer graph on an NVIDIA GPU, with the reference's codes.
 *
 * <p>Many threads may use it at once.
 */
public final class CudaEngine implements Engine {

    static final String NAME = "cuda";

    private final IntGraph graph;
    private final EngineOnDevice device;

    private CudaEngine(IntGraph graph, EngineOnDevice device) {
        this.graph = graph;
        this.device = device;
    }

    /**
     * {@return an engine file for this or another machine's GPUs, compiled by NVRTC; no GPU is
     * needed}
     *
     * @param graph the graph
     * @param target the GPUs
     * @throws CompilationException if there is no NVRTC, or it refuses a kernel
     * @throws IllegalArgumentException if a node has no kernel; the message names it
     */
    public static EngineFile compile(IntGraph graph, Target target) {
        return EngineCompiler.find().compile(graph, target);
    }

    /**
     * {@return the graph on this machine's first GPU: compiled for it, by NVRTC, and loaded}
     *
     * <p>Kernels that were compiled before come from the user's cache.
     *
     * @param graph the graph
     * @throws CudaException if there is no driver or no GPU
     * @throws CompilationException if there is no NVRTC
     */
    public static CudaEngine open(IntGraph graph) {
        CudaDriver driver = LibCuda.open();
        driver.init();
        Target target = Target.of(DeviceReport.of(driver, 0).compiledFor()).withTraces();
        EngineCompiler compiler = EngineCompiler.of(CachedCompiler.inUsersCache(Nvrtc.find()));
        return open(graph, compiler.compile(graph, target), driver);
    }

    /**
     * {@return a graph that was compiled before, on this machine's first GPU}
     *
     * @param graph the graph
     * @param file its engine
     * @throws IllegalArgumentException if the file is another graph's, or has no code for this GPU
     * @throws CudaException if there is no driver or no GPU
     */
    public static CudaEngine open(IntGraph graph, EngineFile file) {
        return open(graph, file, LibCuda.open());
    }

    static CudaEngine open(IntGraph graph, EngineFile file, CudaDriver driver) {
        EngineOnDevice device = EngineOnDevice.open(file, driver, 0, EngineOnDevice.LARGEST_BATCH);
        try {
            requireSame(graph, device);
            requireSame(graph.sha256(), file.graph());
            return new CudaEngine(graph, device);
        } catch (IllegalArgumentException e) {
            device.close();
            throw e;
        }
    }

    private static void requireSame(IntGraph graph, EngineOnDevice device) {
        List<String> inputs = device.inputs().stream().map(Port::name).toList();
        List<String> outputs = device.outputs().stream().map(Port::name).toList();
        List<String> wanted = graph.inputs().stream().map(node -> node.name()).toList();
        Require.argument(
                inputs.equals(wanted) && outputs.equals(graph.outputs()),
                "the engine is another graph's: it makes %s of %s, and the graph makes %s of %s",
                outputs,
                inputs,
                graph.outputs(),
                wanted);
        List<Port> ports = new ArrayList<>(device.inputs());
        ports.addAll(device.outputs());
        for (Port port : ports) {
            Require.argument(
                    port.type().equals(graph.type(port.name())),
                    "the engine is another graph's: '%s' is %s in it, and %s in the graph",
                    port.name(),
                    port.type(),
                    graph.type(port.name()));
        }
    }

    private static void requireSame(String wanted, String found) {
        Require.argument(
                found.equals(wanted),
                "the engine is another graph's: its SHA-256 is '%s', and the graph's is '%s'; compile"
                        + " the graph",
                found,
                wanted);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public IntGraph graph() {
        return graph;
    }

    @Override
    public Map<String, Batch> run(Map<String, Batch.Floats> inputs) {
        return device.run(inputs);
    }

    /**
     * Runs the graph on inputs in device memory; see {@link EngineOnDevice#runOnDevice(Map, int)}.
     *
     * @param addresses float32 values in the graph's order without gaps, by the input's name
     * @param examples how many examples lie there
     * @return one batch for each of the graph's outputs, by name
     */
    public Map<String, Batch> runOnDevice(Map<String, Long> addresses, int examples) {
        return device.runOnDevice(addresses, examples);
    }

    /**
     * Runs the graph from device memory to device memory, where results are scores, before the
     * graph's last functions; see {@link EngineOnDevice#runOnDevice(Map, Map, int)}.
     *
     * @param inputs addresses of float32 values, by the input's name
     * @param outputs addresses that results are written to, by the output's name
     * @param examples how many examples lie there, above 0
     */
    public void runOnDevice(Map<String, Long> inputs, Map<String, Long> outputs, int examples) {
        device.runOnDevice(inputs, outputs, examples);
    }

    /**
     * Finds out what is fastest for a batch on this GPU; see {@link EngineOnDevice#tune}.
     *
     * @param examples the batch
     * @param cache what was timed before, and is timed now
     * @throws IOException if the cache cannot be written
     */
    public void tune(int examples, TacticCache cache) throws IOException {
        device.tune(examples, cache);
    }

    @Override
    public Map<String, Batch> trace(Map<String, Batch.Floats> inputs) {
        GraphInputs.requireValid(graph, inputs);
        return device.trace(inputs);
    }

    @Override
    public void close() {
        device.close();
    }
}
