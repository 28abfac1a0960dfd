// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.Launch;
import org.dl4jquant.cuda.plan.Argument;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Step;

/** A program's machine code and constants in a GPU's memory; many threads may launch it. */
final class LoadedProgram implements AutoCloseable {

    private final CudaDriver driver;
    private final Plan plan;
    private final long[] functions; // one for each step
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
        try {
            Map<KernelSpec, Long> loaded = new HashMap<>();
            for (KernelSpec kernel : plan.kernels()) {
                ByteBuffer cubin = Objects.requireNonNull(program.cubins().get(kernel.entry()));
                loaded.put(kernel, load(kernel, cubin));
            }
            this.functions =
                    plan.steps().stream()
                            .mapToLong(step -> Objects.requireNonNull(loaded.get(step.kernel())))
                            .toArray();
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

    /**
     * Queues all launches.
     *
     * @param stream the queue
     * @param arena the arena's address
     * @param examples the batch
     * @param inputs an address for each of the plan's inputs
     */
    void launch(long stream, long arena, int examples, long[] inputs) {
        for (int step = 0; step < functions.length; step++) {
            launch(step, stream, arena, examples, inputs);
        }
    }

    /** Queues one launch, by its number. */
    void launch(int number, long stream, long arena, int examples, long[] inputs) {
        Step step = plan.steps().get(number);
        Launch shape = step.kernel().launch();
        List<Argument> pointers = step.arguments();
        long[] arguments = new long[pointers.size() + 1];
        for (int i = 0; i < pointers.size(); i++) {
            arguments[i] = address(pointers.get(i), arena, examples, inputs);
        }
        arguments[pointers.size()] = examples;
        driver.launch(
                functions[number],
                shape.rows(examples),
                shape.columns(),
                shape.threads(),
                shape.sharedBytes(),
                stream,
                arguments);
    }

    private long address(Argument pointer, long arena, int examples, long[] inputs) {
        if (pointer instanceof Argument.Arena place) {
            return arena + place.place() * examples + place.slice();
        }
        if (pointer instanceof Argument.Constant constant) {
            return constants + constant.offset();
        }
        return pointer instanceof Argument.Input input ? inputs[input.index()] : 0;
    }

    @Override
    public void close() {
        resources.close();
    }
}
