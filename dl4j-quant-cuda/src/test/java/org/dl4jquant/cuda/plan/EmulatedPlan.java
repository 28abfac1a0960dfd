// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.dl4jquant.cuda.kernel.EmulatedKernel;
import org.dl4jquant.cuda.kernel.EmulatedKernels;
import org.dl4jquant.engine.Batch;

/** Runs a plan step by step on the CPU. What a kernel may touch is the arena and the constants. */
final class EmulatedPlan {

    private static final byte POISON = (byte) 0xA5;

    private final EmulatedKernels kernels;
    private final Plan plan;
    private final int examples;
    private final Memory arena;
    private final Memory constants;
    private final Memory scratch;
    private final List<EmulatedKernel.Range> ranges;

    private EmulatedPlan(EmulatedKernels kernels, Plan plan, int examples) {
        this.kernels = kernels;
        this.plan = plan;
        this.examples = examples;
        this.arena = new Memory(Math.max(1, plan.arenaBytes() * examples));
        arena.setMemory(0, arena.size(), POISON);
        byte[] bytes = new byte[plan.constants().remaining()];
        plan.constants().duplicate().get(bytes);
        this.constants = new Memory(Math.max(1, bytes.length));
        constants.write(0, bytes, 0, bytes.length);
        this.scratch = new Memory(Math.max(1, plan.scratchBytes()));
        scratch.clear();
        this.ranges = List.of(range(arena), range(constants), range(scratch));
    }

    private static EmulatedKernel.Range range(Memory memory) {
        return new EmulatedKernel.Range(Pointer.nativeValue(memory), memory.size());
    }

    /** {@return the plan's outputs} */
    static Map<String, Batch> run(Plan plan, Map<String, Batch.Floats> inputs, long schedule) {
        return run(EmulatedKernels.available(), plan, inputs, schedule);
    }

    /** {@return the plan's outputs, as these kernels compute them} */
    static Map<String, Batch> run(
            EmulatedKernels kernels, Plan plan, Map<String, Batch.Floats> inputs, long schedule) {
        int examples = inputs.values().iterator().next().size();
        // Compiling takes longest, and several compilers run at once.
        plan.kernels().parallelStream().forEach(kernels::of);
        return new EmulatedPlan(kernels, plan, examples).run(inputs, schedule);
    }

    private Map<String, Batch> run(Map<String, Batch.Floats> inputs, long schedule) {
        for (Port port : plan.inputs()) {
            float[] values = Objects.requireNonNull(inputs.get(port.name())).values();
            arena.write(port.place() * examples, values, 0, values.length);
        }
        Random random = new Random(schedule);
        for (Step step : plan.steps()) {
            List<Step.Way> ways =
                    step.ways().stream()
                            .filter(way -> way.kernel().launch().mostExamples() >= examples)
                            .toList();
            Optional<String> fault = launch(ways.get(random.nextInt(ways.size())), schedule);
            if (fault.isPresent()) {
                throw new AssertionError(step + ": " + fault.get());
            }
        }
        byte[] left = scratch.getByteArray(0, (int) scratch.size());
        assertArrayEquals(new byte[left.length], left, "scratch memory is not left as zeros");
        Map<String, Batch> outputs = new LinkedHashMap<>();
        plan.outputs().forEach(port -> outputs.put(port.name(), output(port)));
        return outputs;
    }

    private Optional<String> launch(Step.Way step, long schedule) {
        List<Long> arguments = new ArrayList<>();
        step.arguments().forEach(argument -> arguments.add(address(argument)));
        arguments.add((long) examples);
        try {
            return kernels.of(step.kernel())
                    .launch(
                            step.kernel().launch().rows(examples),
                            schedule,
                            ranges,
                            arguments.stream().mapToLong(Long::longValue).toArray());
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private long address(Argument argument) {
        if (argument instanceof Argument.Arena place) {
            return Pointer.nativeValue(arena) + place.place() * examples + place.slice();
        }
        if (argument instanceof Argument.Constant constant) {
            return Pointer.nativeValue(constants) + constant.offset();
        }
        if (argument instanceof Argument.Scratch) {
            return Pointer.nativeValue(scratch);
        }
        return argument instanceof Argument.Input input
                ? Pointer.nativeValue(arena) + plan.inputs().get(input.index()).place() * examples
                : 0;
    }

    private Batch output(Port port) {
        int elements = examples * port.type().shape().elements();
        long from = port.place() * examples;
        return port.type().isCodes()
                ? Batch.Codes.of(
                        examples,
                        port.type().shape(),
                        arena.getByteArray(from, elements),
                        port.type().codes())
                : Batch.Floats.of(
                        examples, port.type().shape(), arena.getFloatArray(from, elements));
    }
}
