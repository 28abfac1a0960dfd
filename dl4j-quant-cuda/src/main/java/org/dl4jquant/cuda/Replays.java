// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.engine.Batch;

/**
 * A program with some sets of inputs in device memory, one captured graph for each, so that it can
 * be timed on data that change from run to run.
 */
final class Replays implements AutoCloseable {

    /** How many sets of inputs there are. */
    static final int SETS = 4;

    /* A launch is this often in a graph, so that what a graph costs is divided. */
    private static final int LAUNCHES = 8;

    /* By how much the sets differ: any number that is no multiple of a row. */
    private static final int SHIFT = 7919;

    private final CudaDriver driver;
    private final LoadedProgram program;
    private final int examples;
    private final Tactics tactics;
    private final Stopwatch watch;
    private final Resources resources = new Resources();
    private final long arena;
    private final long scratch;
    private final long[] outputs;
    private final List<long[]> inputs = new ArrayList<>();
    private final List<Runnable> round = new ArrayList<>();

    /**
     * {@return one example for each input, of normally distributed values}
     *
     * @param ports the inputs
     * @param seed equal seeds give equal values
     */
    static Map<String, Batch.Floats> normalInputs(List<Port> ports, int seed) {
        Random random = new Random(seed);
        Map<String, Batch.Floats> values = new LinkedHashMap<>();
        for (Port port : ports) {
            float[] one = new float[port.type().shape().elements()];
            for (int i = 0; i < one.length; i++) {
                one[i] = (float) random.nextGaussian();
            }
            values.put(port.name(), Batch.Floats.of(1, port.type().shape(), one));
        }
        return values;
    }

    /**
     * Reserves device memory, and fills the inputs.
     *
     * @param driver whose context is entered
     * @param program what is run
     * @param examples the batch
     * @param tactics how it is run
     * @param values where the values of inputs come from, by the input's name
     * @param watch times it
     */
    Replays(
            CudaDriver driver,
            LoadedProgram program,
            int examples,
            Tactics tactics,
            Map<String, Batch.Floats> values,
            Stopwatch watch) {
        this.driver = driver;
        this.program = program;
        this.examples = examples;
        this.tactics = tactics;
        this.watch = watch;
        try {
            arena = allocate(Math.max(1, program.plan().arenaBytes() * pass()));
            int zeros = program.plan().scratchBytes();
            scratch = allocate(Math.max(1, zeros));
            driver.fill(scratch, (byte) 0, Math.max(1, zeros), 0);
            outputs =
                    program.plan().outputs().stream()
                            .mapToLong(port -> allocate(port.bytes() * examples))
                            .toArray();
            for (int set = 0; set < SETS; set++) {
                long[] addresses = new long[program.plan().inputs().size()];
                for (int i = 0; i < addresses.length; i++) {
                    Port port = program.plan().inputs().get(i);
                    addresses[i] = allocate(port.bytes() * examples);
                    Batch.Floats batch = Objects.requireNonNull(values.get(port.name()));
                    upload(addresses[i], batch.values(), port, set);
                }
                inputs.add(addresses);
                long graph = captured(() -> run(addresses));
                resources.add(() -> driver.destroyGraph(graph));
                round.add(() -> driver.launchGraph(graph, watch.stream()));
            }
        } catch (RuntimeException e) {
            LoadedProgram.giveBackAfter(e, resources);
            throw e;
        }
    }

    private int pass() {
        return Math.min(examples, tactics.pass());
    }

    /* Each pass leaves its outputs where the next begins, so they go elsewhere. */
    private void run(long[] addresses) {
        for (int from = 0; from < examples; from += pass()) {
            int part = Math.min(pass(), examples - from);
            program.launch(places(addresses, from), part, tactics);
            List<Port> ports = program.plan().outputs();
            for (int i = 0; i < outputs.length; i++) {
                Port port = ports.get(i);
                driver.copyOnDevice(
                        outputs[i] + port.bytes() * from,
                        arena + port.place() * part,
                        port.bytes() * part,
                        watch.stream());
            }
        }
    }

    private LoadedProgram.Places places(long[] addresses, int from) {
        long[] further = addresses.clone();
        for (int i = 0; i < further.length; i++) {
            further[i] += program.plan().inputs().get(i).bytes() * from;
        }
        return new LoadedProgram.Places(watch.stream(), arena, scratch, further);
    }

    private long allocate(long bytes) {
        long address = driver.allocate(bytes);
        resources.add(() -> driver.free(address));
        return address;
    }

    /* The values over and over; without the last, so that no two examples are the same. */
    private void upload(long address, float[] values, Port port, int set) {
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(Math.toIntExact(port.bytes() * examples))
                        .order(ByteOrder.nativeOrder());
        FloatBuffer floats = bytes.asFloatBuffer();
        int period = Math.max(1, values.length - 1);
        int from = set * SHIFT % period;
        while (floats.hasRemaining()) {
            int length = Math.min(floats.remaining(), period - from);
            floats.put(values, from, length);
            from = 0;
        }
        try {
            driver.copyToDevice(address, bytes, 0);
            driver.synchronize();
        } finally {
            Reference.reachabilityFence(bytes);
        }
    }

    private long captured(Runnable launches) {
        driver.beginCapture(watch.stream());
        try {
            launches.run();
        } catch (RuntimeException e) {
            driver.destroyGraph(driver.endCapture(watch.stream()));
            throw e;
        }
        return driver.endCapture(watch.stream());
    }

    /** {@return one run for each set of inputs; each queues a graph} */
    List<Runnable> round() {
        return Collections.unmodifiableList(round);
    }

    /**
     * {@return the addresses of a set of inputs, in the plan's order}
     *
     * @param set from 0 on, below {@link #SETS}
     */
    long[] inputs(int set) {
        return inputs.get(set).clone();
    }

    /** {@return what comes out for each set of inputs, output by output} */
    List<List<ByteBuffer>> results() {
        List<List<ByteBuffer>> all = new ArrayList<>();
        for (Runnable run : round) {
            run.run();
            List<ByteBuffer> results = new ArrayList<>();
            for (int i = 0; i < outputs.length; i++) {
                long bytes = program.plan().outputs().get(i).bytes() * examples;
                ByteBuffer result =
                        ByteBuffer.allocateDirect(Math.toIntExact(bytes))
                                .order(ByteOrder.nativeOrder());
                driver.copyToHost(result, outputs[i], watch.stream());
                driver.synchronizeStream(watch.stream());
                results.add(result);
            }
            all.add(results);
        }
        return all;
    }

    /**
     * {@return microseconds of each launch, in a row of the same; small tensors stay in the
     * second-level cache}
     */
    List<Double> steps() {
        return IntStream.range(0, tactics.ways().size())
                .mapToObj(step -> step(step, tactics.ways().get(step)))
                .toList();
    }

    /**
     * {@return microseconds of one launch of a pass, in a row of the same}
     *
     * @param number the step
     * @param way which of its ways
     */
    double step(int number, int way) {
        LoadedProgram.Places places = places(inputs.get(0), 0);
        long graph =
                captured(
                        () -> {
                            for (int i = 0; i < LAUNCHES; i++) {
                                program.launch(number, places, pass(), way, false);
                            }
                        });
        try {
            Runnable launch = () -> driver.launchGraph(graph, watch.stream());
            return watch.roundsAgain(List.of(launch)).median() / LAUNCHES;
        } finally {
            driver.destroyGraph(graph);
        }
    }

    @Override
    public void close() {
        resources.close();
    }
}
