// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.kernel.KernelSpec;

/**
 * The launches of a plan in the making. Pointers name buffers; when all launches are known, so is
 * for how long each buffer is needed, and they get their places.
 */
final class Launches {

    private final List<Launch> launches = new ArrayList<>();
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private final List<String> inputs = new ArrayList<>();

    /**
     * A kernel and its pointers.
     *
     * @param kernel the kernel
     * @param pointers tensors and {@link Argument}s
     */
    record Way(KernelSpec kernel, List<Object> pointers) {}

    private record Launch(String result, List<Way> ways) {}

    /** A run of memory, and the launches that need it. */
    private static final class Buffer {
        final long bytes;
        int first = Integer.MAX_VALUE;
        int last = -1;

        Buffer(long bytes) {
            this.bytes = bytes;
        }

        void isNeededAt(int step) {
            first = Math.min(first, step);
            last = Math.max(last, step);
        }
    }

    /** {@return a buffer's name} */
    String buffer(String name, long bytes) {
        Buffer buffer = buffers.computeIfAbsent(name, key -> new Buffer(bytes));
        Require.state(
                buffer.bytes == bytes,
                "buffer '%s' has %d and %d bytes",
                name,
                buffer.bytes,
                bytes);
        return name;
    }

    /** A buffer that is filled from outside before the first launch. */
    void input(String buffer) {
        inputs.add(buffer);
        need(buffer, 0);
    }

    /** A buffer that is read from outside behind the last launch. */
    void output(String buffer) {
        need(buffer, launches.size());
    }

    /**
     * Adds a launch.
     *
     * @param result the node that it belongs to
     * @param kernel the kernel
     * @param pointers tensors and {@link Argument}s
     */
    void add(String result, KernelSpec kernel, Object... pointers) {
        add(result, List.of(new Way(kernel, List.of(pointers))));
    }

    /**
     * Adds a launch that is done in one of several ways.
     *
     * @param result the node that it belongs to
     * @param ways how; the first for any batch
     */
    void add(String result, List<Way> ways) {
        for (Way way : ways) {
            for (Object pointer : way.pointers()) {
                if (pointer instanceof Tensor tensor) {
                    need(tensor.buffer(), launches.size());
                }
            }
        }
        launches.add(new Launch(result, ways));
    }

    private void need(String buffer, int step) {
        Objects.requireNonNull(buffers.get(buffer)).isNeededAt(step);
    }

    /** {@return where the buffers lie} */
    MemoryPlan memory() {
        List<MemoryPlan.Life> lives = new ArrayList<>();
        buffers.forEach(
                (name, buffer) ->
                        lives.add(
                                new MemoryPlan.Life(
                                        name, buffer.bytes, buffer.first, buffer.last)));
        return MemoryPlan.of(lives);
    }

    /** {@return the launches, with the buffers' places} */
    List<Step> steps(MemoryPlan memory) {
        return launches.stream().map(launch -> step(launch, memory)).toList();
    }

    private Step step(Launch launch, MemoryPlan memory) {
        List<Step.Way> ways = launch.ways().stream().map(way -> way(way, memory)).toList();
        Step.Way first = ways.get(0);
        return new Step(
                launch.result(), first.kernel(), first.arguments(), ways.subList(1, ways.size()));
    }

    private Step.Way way(Way way, MemoryPlan memory) {
        return new Step.Way(
                way.kernel(),
                way.pointers().stream().map(pointer -> argument(pointer, memory)).toList());
    }

    private Argument argument(Object pointer, MemoryPlan memory) {
        if (pointer instanceof Tensor tensor) {
            int input = inputs.indexOf(tensor.buffer());
            return input >= 0
                    ? new Argument.Input(input)
                    : new Argument.Arena(memory.place(tensor.buffer()), tensor.slice());
        }
        return (Argument) pointer;
    }
}
