// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.kernel.Chip;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.engine.Batch;

/** An engine that is compared and timed on a GPU. */
final class EngineTrial implements AutoCloseable {

    /** Who computed, in figures. */
    static final String US = "dl4j-quant int8";

    /** Added to who computed: the second-level cache was emptied before each run. */
    static final String COLD = ", cold cache";

    /** Added to who computed: by the host's clock, from the call until the result is there. */
    static final String ALONE = ", one at a time";

    /** Added to who computed: from and to Java's arrays, by the host's clock. */
    static final String WITH_COPIES = ", with copies";

    private static final String EXAMPLES = "examples/s";

    private static final int TUNING_REPEATS = 9;

    private final CudaDriver driver;
    private final Trial trial;
    private final Effort effort;
    private final Device device;
    private final EngineOnDevice engine;
    private final LoadedProgram program;

    /**
     * What was found for a batch.
     *
     * @param figures the times
     * @param layers lines of the table of launches
     * @param different what was not equal, in words; empty if all was
     */
    record Timed(List<Figure> figures, List<String> layers, Optional<String> different) {}

    /**
     * Loads an engine.
     *
     * @param driver the driver
     * @param file the engine
     * @param trial in which batches it is run
     * @param effort how much is done for a time
     */
    EngineTrial(CudaDriver driver, EngineFile file, Trial trial, Effort effort) {
        this.driver = driver;
        this.trial = trial;
        this.effort = effort;
        int largest = trial.batches().stream().mapToInt(Integer::intValue).max().orElseThrow();
        Resources taken = new Resources();
        try {
            engine = EngineOnDevice.open(file, driver, 0, largest);
            taken.add(engine::close);
            device = Device.open(driver, 0);
            taken.add(device::close);
            device.enter();
            program =
                    new LoadedProgram(
                            device,
                            ProgramChoice.of(file, engine.architecture(), Program.Purpose.RUN)
                                    .orElseThrow());
        } catch (RuntimeException e) {
            LoadedProgram.giveBackAfter(e, taken);
            throw e;
        }
    }

    /** {@return the first node that differs, in words; empty if none does} */
    Optional<String> firstDifference(GoldenRun golden) {
        return golden.firstDifference(engine);
    }

    /**
     * {@return the times of a batch}
     *
     * @param name the engine's name
     * @param batch how many examples
     * @param values where the values of inputs come from
     * @param gpu the GPU
     * @param cache what was timed before in order to choose kernels
     * @throws OutOfDeviceMemoryException if the batch does not fit
     * @throws IOException if the cache cannot be written
     */
    Timed time(
            String name,
            int batch,
            Map<String, Batch.Floats> values,
            DeviceReport gpu,
            TacticCache cache)
            throws IOException {
        if (batch > program.mostExamples()) {
            throw new IllegalArgumentException(
                    "a batch of %d; at most %d can be launched at once"
                            .formatted(batch, program.mostExamples()));
        }
        engine.tune(batch, cache, Effort.of(Math.min(effort.repeats(), TUNING_REPEATS)));
        device.enter();
        try (Stopwatch watch = new Stopwatch(driver, effort);
                Replays replays =
                        new Replays(driver, program, batch, engine.tactics(batch), values, watch)) {
            return time(name, batch, values, watch, replays, gpu);
        } catch (CudaException e) {
            if (e.result() != CudaException.OUT_OF_MEMORY) {
                throw e;
            }
            throw new OutOfDeviceMemoryException("a batch of " + batch + " does not fit", e);
        }
    }

    private Timed time(
            String name,
            int batch,
            Map<String, Batch.Floats> values,
            Stopwatch watch,
            Replays replays,
            DeviceReport gpu) {
        List<List<ByteBuffer>> results = replays.results();
        Optional<String> different = differentFromEngine(replays, results.get(0), batch);
        String who = who(name);
        List<Figure> figures = new ArrayList<>();
        Spread whole = watch.rounds(replays.round());
        figures.add(figure(who, batch, whole));
        figures.add(figure(who + COLD, batch, watch.cold(replays.round())));
        figures.add(figure(who + ALONE, batch, watch.waits(replays.round())));
        figures.add(figure(who + WITH_COPIES, batch, withCopies(values, batch)));
        List<Double> micros = replays.steps();
        int pass = Math.min(batch, engine.pass(batch));
        LayerTable layers =
                new LayerTable(
                        name,
                        program.plan().steps(),
                        engine.kernels(batch),
                        micros,
                        batch,
                        pass,
                        Chip.ofDevice(gpu.name()));
        layers.product()
                .ifPresent(
                        step -> {
                            Spread product =
                                    new Spread(
                                            micros.get(step), micros.get(step), micros.get(step));
                            figures.add(
                                    Figure.of(
                                            who,
                                            trial.model() + " product",
                                            batch,
                                            product,
                                            layers.operations(step) / 1e6,
                                            "TOPS"));
                        });
        if (different.isEmpty() && !results.equals(replays.results())) {
            different = Optional.of("the replays: results changed while they were timed");
        }
        return new Timed(figures, layers.lines(whole.median() * pass / batch), different);
    }

    /* Other engines of a model are named after it. */
    private String who(String name) {
        return name.equals(trial.model()) ? US : US + " (" + name + ")";
    }

    private Figure figure(String who, int batch, Spread spread) {
        return Figure.of(who, trial.model(), batch, spread, 1e6 * batch, EXAMPLES);
    }

    /* What is timed here must be what the engine does. */
    private Optional<String> differentFromEngine(
            Replays replays, List<ByteBuffer> found, int batch) {
        Map<String, Long> addresses = new LinkedHashMap<>();
        long[] inputs = replays.inputs(0);
        for (int i = 0; i < inputs.length; i++) {
            addresses.put(engine.inputs().get(i).name(), inputs[i]);
        }
        Map<String, Batch> expected = engine.scoresOnDevice(addresses, batch);
        for (int i = 0; i < found.size(); i++) {
            String output = engine.outputs().get(i).name();
            if (!bytes(Objects.requireNonNull(expected.get(output))).equals(found.get(i))) {
                return Optional.of("'" + output + "', replayed");
            }
        }
        return Optional.empty();
    }

    private static ByteBuffer bytes(Batch batch) {
        if (batch instanceof Batch.Codes codes) {
            return ByteBuffer.wrap(codes.containers());
        }
        float[] values = ((Batch.Floats) batch).values();
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    private Spread withCopies(Map<String, Batch.Floats> values, int batch) {
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (Port port : engine.inputs()) {
            float[] few = Objects.requireNonNull(values.get(port.name())).values();
            float[] all = new float[port.type().shape().elements() * batch];
            for (int at = 0; at < all.length; at += few.length) {
                System.arraycopy(few, 0, all, at, Math.min(few.length, all.length - at));
            }
            inputs.put(port.name(), Batch.Floats.of(batch, port.type().shape(), all));
        }
        engine.run(inputs);
        double[] micros = new double[effort.repeats() / 10 + 1];
        for (int i = 0; i < micros.length; i++) {
            long begin = System.nanoTime();
            engine.run(inputs);
            micros[i] = (System.nanoTime() - begin) / 1e3;
        }
        return Spread.of(micros);
    }

    @Override
    public void close() {
        Resources all = new Resources();
        all.add(engine::close);
        all.add(device::close);
        all.add(program::close);
        all.add(device::enter); // done first
        all.close();
    }
}
