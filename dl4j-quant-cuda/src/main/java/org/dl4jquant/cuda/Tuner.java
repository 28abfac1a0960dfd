// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.plan.Step;
import org.jspecify.annotations.Nullable;

/**
 * Finds the fastest tactics for a batch: times each way of each step, then the whole with passes of
 * several sizes, and with and without kernels that overlap.
 */
final class Tuner {

    /* Smaller passes leave most multiprocessors without work. */
    private static final int LEAST_PASS = 8;

    /** Makes what is timed. */
    @FunctionalInterface
    interface Making {
        /** {@return a batch, ready to be run with these tactics} */
        Replays replays(int examples, Tactics tactics, Stopwatch watch);
    }

    private final CudaDriver driver;
    private final LoadedProgram program;
    private final Making making;
    private final String gpu;
    private boolean canOverlap;
    private final TacticCache cache;
    private final Effort effort;
    private @Nullable Tactics best;
    private double least;

    Tuner(
            CudaDriver driver,
            LoadedProgram program,
            DeviceReport gpu,
            Making making,
            TacticCache cache,
            Effort effort) {
        this.effort = effort;
        this.driver = driver;
        this.program = program;
        this.making = making;
        this.gpu =
                "%s, sm_%d, %d multiprocessors, %d bytes of cache, driver %d"
                        .formatted(
                                gpu.name(),
                                gpu.architecture(),
                                gpu.multiprocessors(),
                                gpu.cacheBytes(),
                                gpu.driverVersion());
        this.canOverlap = gpu.architecture() >= 90;
        this.cache = cache;
    }

    /**
     * {@return the fastest tactics of those for which there is memory}
     *
     * @throws OutOfDeviceMemoryException if there is none for any
     */
    Tactics tune(int examples) throws IOException {
        @Nullable OutOfDeviceMemoryException tooLarge = null;
        try (Stopwatch watch = new Stopwatch(driver, effort)) {
            for (int pass = examples; pass == examples || pass >= LEAST_PASS; pass /= 2) {
                try {
                    List<Integer> ways = fastest(pass, watch);
                    consider(new Tactics(ways, pass, false), examples, watch);
                    if (canOverlap) {
                        considerOverlap(new Tactics(ways, pass, true), examples, watch);
                    }
                } catch (OutOfDeviceMemoryException e) {
                    tooLarge = e;
                }
            }
        }
        if (best == null && tooLarge != null) {
            throw tooLarge;
        }
        return Objects.requireNonNull(best);
    }

    /* A driver that cannot does without; what else is wrong shows in the next call. */
    private void considerOverlap(Tactics tactics, int examples, Stopwatch watch)
            throws IOException {
        try {
            consider(tactics, examples, watch);
        } catch (CudaException e) {
            canOverlap = false;
        }
    }

    private void consider(Tactics tactics, int examples, Stopwatch watch) throws IOException {
        double micros = time(examples, tactics, watch);
        if (best == null || micros < least) {
            best = tactics;
            least = micros;
        }
    }

    private List<Integer> fastest(int examples, Stopwatch watch) throws IOException {
        Tactics likely = program.likely(examples, examples);
        List<Integer> fastest = new ArrayList<>();
        // Made when the first time is not known.
        @Nullable Replays replays = null;
        try {
            for (int step = 0; step < program.ways().size(); step++) {
                List<Step.Way> ways = program.ways().get(step);
                int best = 0;
                double least = Double.POSITIVE_INFINITY;
                for (int way = 0; way < ways.size() && ways.size() > 1; way++) {
                    KernelSpec kernel = ways.get(way).kernel();
                    if (kernel.launch().mostExamples() < examples) {
                        continue;
                    }
                    TacticCache.Key key =
                            new TacticCache.Key(gpu, examples, program.digest(kernel));
                    OptionalDouble known = cache.micros(key);
                    if (known.isEmpty()) {
                        replays =
                                replays == null ? making.replays(examples, likely, watch) : replays;
                        known = OptionalDouble.of(replays.step(step, way));
                        cache.put(key, known.getAsDouble());
                    }
                    best = known.getAsDouble() < least ? way : best;
                    least = Math.min(known.getAsDouble(), least);
                }
                fastest.add(best);
            }
            return fastest;
        } finally {
            if (replays != null) {
                replays.close();
            }
        }
    }

    private double time(int examples, Tactics tactics, Stopwatch watch) throws IOException {
        TacticCache.Key key = new TacticCache.Key(gpu, examples, digest(tactics));
        OptionalDouble known = cache.micros(key);
        if (known.isPresent()) {
            return known.getAsDouble();
        }
        try (Replays replays = making.replays(examples, tactics, watch)) {
            double micros = watch.rounds(replays.round()).median();
            cache.put(key, micros);
            return micros;
        }
    }

    /* Of all machine code in its order, and of how it is run. */
    private String digest(Tactics tactics) {
        StringBuilder text =
                new StringBuilder(
                        "pass " + tactics.pass() + (tactics.overlaps() ? " overlaps" : ""));
        for (int step = 0; step < program.ways().size(); step++) {
            KernelSpec kernel = program.ways().get(step).get(tactics.ways().get(step)).kernel();
            text.append('\n').append(program.digest(kernel));
        }
        return EngineFile.digest(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
    }
}
