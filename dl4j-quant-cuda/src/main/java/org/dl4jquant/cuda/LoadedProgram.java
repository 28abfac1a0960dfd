// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.Launch;
import org.dl4jquant.cuda.plan.Argument;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Step;

/** A program's machine code and constants in a GPU's memory; many threads may launch it. */
final class LoadedProgram implements AutoCloseable {

    private final CudaDriver driver;
    private final Plan plan;
    private final Architecture architecture;
    private final List<List<Step.Way>> ways; // of each step
    private final Map<String, Long> functions = new HashMap<>();
    private final Map<String, String> digests = new HashMap<>();
    private final Map<Integer, Tactics> tuned = new ConcurrentHashMap<>();
    private final Resources resources = new Resources();
    private final long constants;

    /**
     * Loads a program.
     *
     * @param device whose context is entered
     * @param program what to load
     * @throws CudaException if there is too little memory, or the code is for another architecture;
     *     nothing stays behind
     */
    LoadedProgram(Device device, Program program) {
        this.driver = device.driver();
        this.plan = program.plan();
        this.architecture = Architecture.valueOf(program.architecture().toUpperCase(Locale.ROOT));
        this.ways = plan.steps().stream().map(Step::ways).toList();
        try {
            for (KernelSpec kernel : plan.kernels()) {
                ByteBuffer cubin = Objects.requireNonNull(program.cubins().get(kernel.entry()));
                functions.put(kernel.entry(), load(kernel, cubin));
                digests.put(kernel.entry(), EngineFile.digest(cubin));
            }
            this.constants = upload(plan.constants());
        } catch (RuntimeException e) {
            giveBackAfter(e, resources);
            throw e;
        }
    }

    static void giveBackAfter(RuntimeException error, Resources resources) {
        try {
            resources.close();
        } catch (CudaException e) {
            error.addSuppressed(e);
        }
    }

    private long load(KernelSpec kernel, ByteBuffer cubin) {
        byte[] image = new byte[cubin.remaining()];
        cubin.duplicate().get(image);
        long module = driver.loadModule(image);
        resources.add(() -> driver.unloadModule(module));
        long function = driver.function(module, kernel.entry());
        if (kernel.launch().sharedBytes() > 0) {
            driver.setDynamicSharedMemory(function, kernel.launch().sharedBytes());
        }
        return function;
    }

    private long upload(ByteBuffer bytes) {
        long address = driver.allocate(Math.max(1, bytes.remaining()));
        resources.add(() -> driver.free(address));
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.remaining());
        direct.put(bytes.duplicate()).flip();
        if (direct.hasRemaining()) {
            try {
                driver.copyToDevice(address, direct, 0);
                driver.synchronize();
            } finally {
                // The driver has the address only.
                Reference.reachabilityFence(direct);
            }
        }
        return address;
    }

    Plan plan() {
        return plan;
    }

    /** {@return the largest batch that every kernel can count, and that Java can address} */
    int mostExamples() {
        IntStream counted =
                plan.steps().stream().mapToInt(step -> step.kernel().launch().mostExamples());
        IntStream addressed =
                Stream.concat(plan.inputs().stream(), plan.outputs().stream())
                        .mapToInt(port -> (int) Math.max(1, Integer.MAX_VALUE / port.bytes()));
        return IntStream.concat(counted, addressed).min().orElse(Integer.MAX_VALUE);
    }

    /** {@return the tactics for a batch: those that were found by timing, or else the model's} */
    Tactics tactics(int examples) {
        Tactics found = tuned.get(examples);
        return found == null ? likely(examples, examples) : found;
    }

    /** {@return what the model takes for the best ways of passes of a size} */
    Tactics likely(int examples, int pass) {
        List<Integer> likely =
                plan.steps().stream()
                        .map(step -> step.likelyFastest(architecture, Math.min(examples, pass)))
                        .toList();
        return new Tactics(likely, pass, false);
    }

    /** Uses tactics from now on. */
    void use(int examples, Tactics tactics) {
        tuned.put(examples, tactics);
    }

    List<List<Step.Way>> ways() {
        return ways;
    }

    /** {@return the SHA-256 of a kernel's machine code} */
    String digest(KernelSpec kernel) {
        return Objects.requireNonNull(digests.get(kernel.entry()));
    }

    /**
     * Where a launch finds what it works on.
     *
     * @param stream the queue
     * @param arena the arena's address
     * @param scratch the address of zeros, of which no other stream has the use
     * @param inputs an address for each of the plan's inputs
     */
    record Places(long stream, long arena, long scratch, List<Long> inputs) {

        Places(long stream, long arena, long scratch, long[] inputs) {
            this(stream, arena, scratch, Arrays.stream(inputs).boxed().toList());
        }
    }

    /**
     * Queues all launches.
     *
     * @param places where
     * @param examples the batch
     * @param tactics how; of its passes this is one
     */
    void launch(Places places, int examples, Tactics tactics) {
        for (int step = 0; step < ways.size(); step++) {
            launch(step, places, examples, tactics.ways().get(step), tactics.overlaps());
        }
    }

    /** Queues one launch, by its number, in one of its ways. */
    void launch(int step, Places places, int examples, int way, boolean overlaps) {
        Step.Way chosen = ways.get(step).get(way);
        Launch shape = chosen.kernel().launch();
        List<Argument> pointers = chosen.arguments();
        long[] arguments = new long[pointers.size() + 1];
        for (int i = 0; i < pointers.size(); i++) {
            arguments[i] = address(pointers.get(i), places, examples);
        }
        arguments[pointers.size()] = examples;
        long function = Objects.requireNonNull(functions.get(chosen.kernel().entry()));
        int rows = shape.rows(examples);
        if (overlaps) {
            driver.launchOverlapping(
                    function,
                    rows,
                    shape.columns(),
                    shape.threads(),
                    shape.sharedBytes(),
                    places.stream(),
                    arguments);
        } else {
            driver.launch(
                    function,
                    rows,
                    shape.columns(),
                    shape.threads(),
                    shape.sharedBytes(),
                    places.stream(),
                    arguments);
        }
    }

    private long address(Argument pointer, Places places, int examples) {
        if (pointer instanceof Argument.Arena place) {
            return places.arena() + place.place() * examples + place.slice();
        }
        if (pointer instanceof Argument.Constant constant) {
            return constants + constant.offset();
        }
        if (pointer instanceof Argument.Scratch) {
            return places.scratch();
        }
        return pointer instanceof Argument.Input input ? places.inputs().get(input.index()) : 0;
    }

    @Override
    public void close() {
        resources.close();
    }
}
