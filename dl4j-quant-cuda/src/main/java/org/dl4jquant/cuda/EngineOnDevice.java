// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.LibCuda;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.cuda.plan.Step;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.GraphInputs;
import org.dl4jquant.engine.LastFunctions;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;

/**
 * An engine file in a GPU's memory, ready to run; it needs no graph, no compiler and no ND4J.
 *
 * <p>Many threads may run it at once; each gets a stream and memory of its own while it runs.
 * {@link #close} waits for runs that are under way.
 */
public final class EngineOnDevice implements AutoCloseable {

    /** The largest batch of one launch, unless another is given; larger batches are cut. */
    public static final int LARGEST_BATCH = 256;

    private static final int TUNING_REPEATS = 9;

    private final Device device;
    private final EngineFile file;
    private final String architecture;
    private final int largestBatch;
    private final ContextPool run;
    private @Nullable ContextPool trace;

    /* Who runs reads; who closes writes. */
    private final ReadWriteLock open = new ReentrantReadWriteLock();
    private boolean closed;

    private EngineOnDevice(Device device, EngineFile file, String architecture, int largestBatch) {
        this.device = device;
        this.file = file;
        this.architecture = architecture;
        this.largestBatch = largestBatch;
        device.enter();
        this.run = load(Program.Purpose.RUN);
    }

    /**
     * {@return the engine on this machine's first GPU}
     *
     * @param file the engine
     * @throws CudaException if there is no driver or no GPU, or the GPU has too little memory
     * @throws IllegalArgumentException if the engine has no code for this GPU; the message lists
     *     what it has
     */
    public static EngineOnDevice open(EngineFile file) {
        return open(file, LibCuda.open(), 0, LARGEST_BATCH);
    }

    /**
     * {@return the engine on a GPU}
     *
     * @param file the engine
     * @param driver the driver
     * @param number which GPU, from 0 on
     * @param largestBatch the largest batch of one launch, above 0
     * @throws CudaException if there is no such GPU, or it has too little memory
     * @throws IllegalArgumentException if the engine has no code for this GPU; the message lists
     *     what it has
     */
    public static EngineOnDevice open(
            EngineFile file, CudaDriver driver, int number, int largestBatch) {
        Require.argument(largestBatch >= 1, "a largest batch of %d", largestBatch);
        Device device = Device.open(driver, number);
        try {
            String architecture = ProgramChoice.requiredArchitecture(file, device);
            return new EngineOnDevice(device, file, architecture, largestBatch);
        } catch (RuntimeException e) {
            device.close();
            throw e;
        }
    }

    private ContextPool load(Program.Purpose purpose) {
        Program program = ProgramChoice.required(file, architecture, purpose);
        return new ContextPool(device, new LoadedProgram(device, program), largestBatch);
    }

    /** {@return the architecture whose code runs, such as {@code sm_90a}} */
    public String architecture() {
        return architecture;
    }

    /** {@return the inputs: float32 values in the graph's order} */
    public List<Port> inputs() {
        return run.program().plan().inputs();
    }

    /** {@return the outputs} */
    public List<Port> outputs() {
        return run.program().plan().outputs();
    }

    /**
     * Runs the engine.
     *
     * @param inputs one batch for each input, by name; all of one size
     * @return one batch for each output, by name, with its last functions applied
     * @throws IllegalArgumentException if an input is missing, unknown, of another shape or size,
     *     or holds NaN
     * @throws IllegalStateException if the engine is closed
     * @throws OutOfDeviceMemoryException if the GPU has too little memory for this batch
     */
    public Map<String, Batch> run(Map<String, Batch.Floats> inputs) {
        int examples = requireValid(inputs);
        return LastFunctions.apply(
                file.functions(), use(false, context -> context.run(inputs, examples)));
    }

    /**
     * Runs the engine on inputs in device memory, such as those of an array of ND4J's CUDA backend;
     * they are read where they are. Whoever wrote them must have finished, and they are not
     * checked: NaN becomes the smallest code.
     *
     * @param addresses float32 values in the graph's order without gaps, by the input's name
     * @param examples how many examples lie there, above 0
     * @return one batch for each output, by name, with its last functions applied
     * @throws IllegalArgumentException if an address is missing, unknown, 0 or no multiple of 4, or
     *     if there are more examples than a Java array has room for
     * @throws IllegalStateException if the engine is closed
     * @throws OutOfDeviceMemoryException if the GPU has too little memory for this batch
     */
    public Map<String, Batch> runOnDevice(Map<String, Long> addresses, int examples) {
        return LastFunctions.apply(file.functions(), scoresOnDevice(addresses, examples));
    }

    /** {@return the results that leave the device: the outputs before their last functions} */
    Map<String, Batch> scoresOnDevice(Map<String, Long> addresses, int examples) {
        long[] places = Addresses.of(addresses, inputs(), examples);
        return use(false, context -> context.run(places, examples));
    }

    /**
     * Runs the engine from device memory to device memory, and returns when the results are there.
     *
     * <p>Results are scores: last functions, such as a softmax, are computed by the host, so that
     * {@link #run} and {@link #runOnDevice(Map, int)} apply them, and this method does not.
     *
     * @param inputs as for {@link #runOnDevice(Map, int)}
     * @param outputs where each output is written to, by its name, in the graph's order without
     *     gaps: codes of one byte, or float32 values, as {@link #outputs} says
     * @param examples how many examples lie there, above 0
     * @throws IllegalArgumentException if an address is missing, unknown, 0, or of float32 values
     *     and no multiple of 4
     * @throws IllegalStateException if the engine is closed
     * @throws OutOfDeviceMemoryException if the GPU has too little memory for this batch
     */
    public void runOnDevice(Map<String, Long> inputs, Map<String, Long> outputs, int examples) {
        long[] from = Addresses.of(inputs, inputs(), examples);
        long[] to = Addresses.of(outputs, outputs(), examples);
        use(
                false,
                context -> {
                    context.run(from, to, examples);
                    return true;
                });
    }

    /**
     * Runs the engine and keeps the result of every node.
     *
     * @param inputs as for {@link #run}
     * @return one batch for each node but the inputs, by name, in the graph's order
     * @throws IllegalStateException if the engine is closed, or was compiled without traces
     */
    public Map<String, Batch> trace(Map<String, Batch.Floats> inputs) {
        int examples = requireValid(inputs);
        return use(true, context -> context.run(inputs, examples));
    }

    /**
     * {@return how long the GPU takes for a batch, without copies to and from the host}
     *
     * @param examples the batch, at most the largest of one launch
     * @param repeats how often, above 0; medians are given
     * @throws IllegalStateException if the engine is closed
     * @throws OutOfDeviceMemoryException if the GPU has too little memory for this batch
     */
    public Times time(int examples, int repeats) {
        requireOneLaunch(examples);
        Require.argument(repeats >= 1, "times of %d repeats", repeats);
        Lock reading = open.readLock();
        reading.lock();
        try {
            requireOpen();
            Effort effort = Effort.of(repeats);
            try (Stopwatch watch = new Stopwatch(device.driver(), effort);
                    Replays replays = replays(examples, tactics(examples), watch)) {
                return new Times(watch.rounds(replays.round()).median(), replays.steps());
            }
        } finally {
            reading.unlock();
        }
    }

    /**
     * Finds out what is fastest for a batch on this GPU, and runs batches of that size so from now
     * on: which kernel for each layer, if the engine was compiled with several, see {@link
     * Target#withTactics}; how many examples go through all layers at once, so that they stay in
     * the second-level cache; and whether kernels overlap. Codes do not depend on it. Waits for
     * runs that are under way, and others wait for it.
     *
     * @param examples the batch, at most the largest of one launch; a run uses what was found for
     *     the least power of two that is not below its batch
     * @param cache what was timed before, and is timed now
     * @throws IOException if the cache cannot be written
     * @throws IllegalStateException if the engine is closed
     * @throws OutOfDeviceMemoryException if the GPU has too little memory for this batch
     */
    public void tune(int examples, TacticCache cache) throws IOException {
        tune(examples, cache, Effort.of(TUNING_REPEATS));
    }

    void tune(int examples, TacticCache cache, Effort effort) throws IOException {
        requireOneLaunch(examples);
        Lock writing = open.writeLock();
        writing.lock();
        try {
            requireOpen();
            run.forgetIdle();
            Tuner tuner =
                    new Tuner(
                            device.driver(),
                            run.program(),
                            device.report(),
                            this::replays,
                            cache,
                            effort);
            run.program().use(examples, tuner.tune(examples));
        } finally {
            writing.unlock();
        }
    }

    /** Runs batches of a size so from now on, whether it is fast or not. */
    void use(int examples, Tactics tactics) {
        Lock writing = open.writeLock();
        writing.lock();
        try {
            requireOpen();
            run.forgetIdle();
            run.program().use(examples, tactics);
        } finally {
            writing.unlock();
        }
    }

    private Replays replays(int examples, Tactics tactics, Stopwatch watch) {
        try {
            return new Replays(
                    device.driver(),
                    run.program(),
                    examples,
                    tactics,
                    Replays.normalInputs(inputs(), examples),
                    watch);
        } catch (CudaException e) {
            long bytes = run.program().plan().arenaBytes() * Math.min(examples, tactics.pass());
            throw OutOfDeviceMemoryException.orElse(e, bytes, examples, device);
        }
    }

    private void requireOpen() {
        Require.state(!closed, "the engine is closed; open another one");
        device.enter();
    }

    /** {@return how a batch is run now} */
    Tactics tactics(int examples) {
        return run.program().tactics(examples);
    }

    /** {@return the launches, in their order} */
    public List<Step> steps() {
        return run.program().plan().steps();
    }

    /**
     * {@return the kernels that run a batch, one for each step}
     *
     * @param examples the batch
     */
    public List<KernelSpec> kernels(int examples) {
        requireOneLaunch(examples);
        List<Integer> ways = tactics(examples).ways();
        List<KernelSpec> kernels = new ArrayList<>();
        for (int step = 0; step < ways.size(); step++) {
            kernels.add(run.program().ways().get(step).get(ways.get(step)).kernel());
        }
        return kernels;
    }

    /**
     * {@return how many examples of a batch go through all layers at once}
     *
     * @param examples the batch
     */
    public int pass(int examples) {
        requireOneLaunch(examples);
        return tactics(examples).pass();
    }

    private void requireOneLaunch(int examples) {
        Require.argument(
                examples >= 1 && examples <= largestBatch,
                "a batch of %d examples; 1 to %d are launched at once",
                examples,
                largestBatch);
    }

    private int requireValid(Map<String, Batch.Floats> inputs) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        inputs().forEach(port -> shapes.put(port.name(), port.type().shape()));
        return GraphInputs.requireValid(shapes, Port.indexLimits(inputs()), inputs);
    }

    private <R> R use(boolean traces, ContextPool.Task<R> task) {
        Lock reading = open.readLock();
        reading.lock();
        try {
            requireOpen();
            ContextPool contexts = traces ? tracing() : run;
            try {
                return contexts.use(task);
            } catch (OutOfDeviceMemoryException e) {
                if (!freeIdle()) {
                    throw e;
                }
                return contexts.use(task);
            }
        } finally {
            reading.unlock();
        }
    }

    /* Whether there was memory that no thread uses now. */
    private synchronized boolean freeIdle() {
        List<ExecutionContext> idle = run.takeIdle();
        if (trace != null) {
            idle.addAll(trace.takeIdle());
        }
        boolean some = idle.stream().anyMatch(ExecutionContext::hasMemory);
        ContextPool.close(idle);
        return some;
    }

    private synchronized ContextPool tracing() {
        ContextPool loaded = trace;
        if (loaded == null) {
            loaded = load(Program.Purpose.TRACE);
            trace = loaded;
        }
        return loaded;
    }

    /** Gives back all that it holds, as soon as nobody runs it; a second call does nothing. */
    @Override
    public void close() {
        Lock writing = open.writeLock();
        writing.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            Resources all = new Resources();
            all.add(device::close);
            run.addTo(all);
            if (trace != null) {
                trace.addTo(all);
            }
            all.add(device::enter); // done first; whatever it says, the rest is given back
            all.close();
        } finally {
            writing.unlock();
        }
    }
}
