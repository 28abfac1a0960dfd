// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.HostMemory;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.engine.Batch;

/**
 * What one thread needs to run a program: a stream, an arena, host memory, and for each size of
 * batch a graph that copies in, launches and copies out.
 */
final class ExecutionContext implements AutoCloseable {

    private final Device device;
    private final CudaDriver driver;
    private final LoadedProgram program;
    private final int largest;
    private final long stream;

    /** For how many examples there is host memory; graphs are of this memory. */
    private int capacity;

    /** For how many examples, of one pass, there is device memory. */
    private int arenaCapacity;

    private long arena;
    private long scratch;
    private long[] hostInputs = {};
    private long[] hostOutputs = {};
    private Resources memory = new Resources();
    private final Map<Integer, Long> graphs = new HashMap<>();

    /**
     * Makes a context.
     *
     * @param device whose context is entered
     * @param program what is run
     * @param largest the largest batch of one launch; larger ones are cut
     */
    ExecutionContext(Device device, LoadedProgram program, int largest) {
        this.device = device;
        this.driver = device.driver();
        this.program = program;
        this.largest = Math.min(largest, program.mostExamples());
        this.stream = driver.createStream();
    }

    /** {@return whether it holds memory of the device} */
    boolean hasMemory() {
        return capacity > 0;
    }

    /** {@return the plan's outputs for inputs that were checked} */
    Map<String, Batch> run(Map<String, Batch.Floats> inputs, int examples) {
        Map<String, Object> results = results(examples);
        for (int from = 0; from < examples; from += largest) {
            int part = Math.min(largest, examples - from);
            int bucket = bucket(part);
            reserve(bucket);
            write(inputs, from, part);
            driver.launchGraph(graph(bucket), stream);
            driver.synchronizeStream(stream);
            read(results, from, part);
        }
        return batches(results, examples);
    }

    /**
     * {@return the plan's outputs for inputs in device memory, which are read where they are}
     *
     * @param inputs an address for each of the plan's inputs
     * @param examples how many examples lie there
     */
    Map<String, Batch> run(long[] inputs, int examples) {
        Map<String, Object> results = results(examples);
        for (int from = 0; from < examples; from += largest) {
            int part = Math.min(largest, examples - from);
            launch(after(inputs, from), part, this::copyOut);
            read(results, from, part);
        }
        return batches(results, examples);
    }

    /**
     * Writes the plan's outputs to device memory for inputs in device memory.
     *
     * @param inputs an address for each of the plan's inputs
     * @param outputs an address for each of the plan's outputs
     * @param examples how many examples lie there
     */
    void run(long[] inputs, long[] outputs, int examples) {
        for (int from = 0; from < examples; from += largest) {
            int begin = from;
            launch(
                    after(inputs, from),
                    Math.min(largest, examples - from),
                    (pass, size) -> copyOnDevice(outputs, begin + pass, size));
        }
    }

    /** What follows on the launches for some examples. */
    private interface Then {
        void copy(int from, int examples);
    }

    /* Exactly as many as there are: what lies behind them is not ours to read. */
    private void launch(long[] inputs, int examples, Then then) {
        int bucket = bucket(examples);
        reserve(bucket);
        Tactics tactics = program.tactics(bucket);
        for (int from = 0; from < examples; from += tactics.pass()) {
            int pass = Math.min(tactics.pass(), examples - from);
            program.launch(places(after(inputs, from)), pass, tactics);
            then.copy(from, pass);
        }
        driver.synchronizeStream(stream);
    }

    private void copyOnDevice(long[] places, int from, int pass) {
        List<Port> outputs = program.plan().outputs();
        for (int i = 0; i < places.length; i++) {
            Port port = outputs.get(i);
            driver.copyOnDevice(
                    places[i] + port.bytes() * from,
                    arena + port.place() * pass,
                    port.bytes() * pass,
                    stream);
        }
    }

    /* As many examples further on. */
    private long[] after(long[] inputs, int examples) {
        long[] addresses = inputs.clone();
        List<Port> ports = program.plan().inputs();
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] += ports.get(i).bytes() * examples;
        }
        return addresses;
    }

    private LoadedProgram.Places places(long[] inputs) {
        return new LoadedProgram.Places(stream, arena, scratch, inputs);
    }

    private long captured(Runnable work) {
        driver.beginCapture(stream);
        try {
            work.run();
        } catch (RuntimeException e) {
            endFailedCapture(e);
            throw e;
        }
        return driver.endCapture(stream);
    }

    /* In the arena. */
    private long[] inputs(long in, int examples) {
        return program.plan().inputs().stream()
                .mapToLong(port -> in + port.place() * examples)
                .toArray();
    }

    /* The least power of two that is not below, so that there are few graphs. */
    private int bucket(int examples) {
        int power = Integer.highestOneBit(examples);
        return power == examples ? power : (int) Math.min(largest, 2L * power);
    }

    private void reserve(int examples) {
        reserve(examples, Math.min(examples, program.tactics(examples).pass()));
    }

    private void reserve(int examples, int pass) {
        if (examples <= capacity && pass <= arenaCapacity) {
            return;
        }
        int most = Math.max(examples, capacity);
        int mostOfPass = Math.max(pass, arenaCapacity);
        release();
        Resources fresh = new Resources();
        try {
            long bytes = Math.max(1, program.plan().arenaBytes() * mostOfPass);
            arena = allocate(bytes, mostOfPass, fresh);
            scratch = zeros(program.plan().scratchBytes(), mostOfPass, fresh);
            hostInputs = hostMemory(program.plan().inputs(), most, fresh);
            hostOutputs = hostMemory(program.plan().outputs(), most, fresh);
        } catch (RuntimeException e) {
            LoadedProgram.giveBackAfter(e, fresh);
            throw e;
        }
        memory = fresh;
        capacity = most;
        arenaCapacity = mostOfPass;
    }

    private long zeros(int bytes, int examples, Resources fresh) {
        if (bytes == 0) {
            return 0;
        }
        long address = allocate(bytes, examples, fresh);
        driver.fill(address, (byte) 0, bytes, stream);
        return address;
    }

    private long allocate(long bytes, int examples, Resources fresh) {
        try {
            long address = driver.allocate(bytes);
            fresh.add(() -> driver.free(address));
            return address;
        } catch (CudaException e) {
            throw OutOfDeviceMemoryException.orElse(e, bytes, examples, device);
        }
    }

    private long[] hostMemory(List<Port> ports, int examples, Resources fresh) {
        long[] addresses = new long[ports.size()];
        for (int i = 0; i < addresses.length; i++) {
            long address = driver.allocateHost(ports.get(i).bytes() * examples);
            fresh.add(() -> driver.freeHost(address));
            addresses[i] = address;
        }
        return addresses;
    }

    private long graph(int examples) {
        Long graph = graphs.get(examples);
        if (graph == null) {
            graph = capture(examples);
            graphs.put(examples, graph);
        }
        return graph;
    }

    private long capture(int examples) {
        Tactics tactics = program.tactics(examples);
        return captured(
                () -> {
                    for (int from = 0; from < examples; from += tactics.pass()) {
                        int pass = Math.min(tactics.pass(), examples - from);
                        copyIn(from, pass);
                        program.launch(places(inputs(arena, pass)), pass, tactics);
                        copyOut(from, pass);
                    }
                });
    }

    private void copyIn(int from, int pass) {
        List<Port> ports = program.plan().inputs();
        long[] places = inputs(arena, pass);
        for (int i = 0; i < places.length; i++) {
            long bytes = ports.get(i).bytes();
            driver.copyToDevice(places[i], hostInputs[i] + bytes * from, bytes * pass, stream);
        }
    }

    /* A stream that is still capturing could not be used again. */
    private void endFailedCapture(RuntimeException error) {
        try {
            driver.destroyGraph(driver.endCapture(stream));
        } catch (CudaException e) {
            error.addSuppressed(e);
        }
    }

    private void copyOut(int from, int pass) {
        List<Port> outputs = program.plan().outputs();
        for (int i = 0; i < outputs.size(); i++) {
            Port port = outputs.get(i);
            driver.copyToHost(
                    hostOutputs[i] + port.bytes() * from,
                    arena + port.place() * pass,
                    port.bytes() * pass,
                    stream);
        }
    }

    private void write(Map<String, Batch.Floats> inputs, int from, int part) {
        List<Port> ports = program.plan().inputs();
        for (int i = 0; i < ports.size(); i++) {
            Port port = ports.get(i);
            int each = port.type().shape().elements();
            float[] values = Objects.requireNonNull(inputs.get(port.name())).values();
            view(hostInputs[i], port, part).asFloatBuffer().put(values, from * each, part * each);
        }
    }

    private static ByteBuffer view(long address, Port port, int examples) {
        return HostMemory.view(address, Math.toIntExact(port.bytes() * examples));
    }

    /* An array for each output: of floats, or of containers. */
    private Map<String, Object> results(int examples) {
        Map<String, Object> results = new LinkedHashMap<>();
        for (Port port : program.plan().outputs()) {
            int each = port.type().shape().elements();
            Require.argument(
                    examples <= Integer.MAX_VALUE / each,
                    "a batch of %d examples has more values of '%s' than a Java array; run at most"
                            + " %d at once",
                    examples,
                    port.name(),
                    Integer.MAX_VALUE / each);
            int elements = each * examples;
            results.put(
                    port.name(), port.type().isCodes() ? new byte[elements] : new float[elements]);
        }
        return results;
    }

    private void read(Map<String, Object> results, int from, int part) {
        List<Port> ports = program.plan().outputs();
        for (int i = 0; i < ports.size(); i++) {
            Port port = ports.get(i);
            int each = port.type().shape().elements();
            ByteBuffer bytes = view(hostOutputs[i], port, part);
            Object array = results.get(port.name());
            if (array instanceof byte[] containers) {
                bytes.get(containers, from * each, part * each);
            } else {
                FloatBuffer floats = bytes.asFloatBuffer();
                floats.get((float[]) Objects.requireNonNull(array), from * each, part * each);
            }
        }
    }

    private Map<String, Batch> batches(Map<String, Object> results, int examples) {
        Map<String, Batch> batches = new LinkedHashMap<>();
        for (Port port : program.plan().outputs()) {
            Object array = Objects.requireNonNull(results.get(port.name()));
            batches.put(
                    port.name(),
                    array instanceof byte[] containers
                            ? Batch.Codes.of(
                                    examples, port.type().shape(), containers, port.type().codes())
                            : Batch.Floats.of(examples, port.type().shape(), (float[]) array));
        }
        return batches;
    }

    /* The graphs are of the memory, and go with it. */
    private void release() {
        Resources all = memory;
        memory = new Resources();
        capacity = 0;
        arenaCapacity = 0;
        List<Long> old = new ArrayList<>(graphs.values());
        graphs.clear();
        old.forEach(graph -> all.add(() -> driver.destroyGraph(graph)));
        // After an error, copies to this memory may still be queued.
        all.add(() -> driver.synchronizeStream(stream));
        all.close();
    }

    @Override
    public void close() {
        try {
            release();
        } finally {
            driver.destroyStream(stream);
        }
    }
}
