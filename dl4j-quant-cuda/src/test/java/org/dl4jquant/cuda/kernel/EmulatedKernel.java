// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A kernel that was compiled for the CPU. Launches from several threads follow one another. */
public final class EmulatedKernel {

    private final KernelSpec spec;
    private final Pointer function;
    /* Its fibers and their stacks are the library's, of which all kernels of one source and one
     * set of constants are users, edited ones, too, if the edit left this source alone. JNA has one
     * object for each library. */
    private final NativeLibrary library;
    private final Function launch;
    private final Function extraPhases;
    private volatile long lastExtraPhases;

    EmulatedKernel(KernelSpec spec, Path library) {
        this.library = NativeLibrary.getInstance(library.toString());
        this.spec = spec;
        this.function = this.library.getFunction(spec.entry());
        this.launch = this.library.getFunction("shim_launch");
        this.extraPhases = this.library.getFunction("shim_extra_phases");
    }

    /**
     * A run of memory that a kernel may touch.
     *
     * @param address its first byte
     * @param bytes its size
     */
    public record Range(long address, long bytes) {}

    /**
     * Launches the kernel over buffers, which are its arguments, followed by the number of
     * examples. An access outside the buffers is a fault.
     *
     * @param examples the batch's size
     * @param seed the schedule: 0 is in order, 1 backwards, each other a random one
     * @param buffers native memory, in the order that the source documents
     * @return what went wrong, and where; empty if nothing did
     */
    public Optional<String> launch(int examples, long seed, Memory... buffers) {
        long[] arguments = new long[buffers.length + 1];
        for (int i = 0; i < buffers.length; i++) {
            arguments[i] = Pointer.nativeValue(buffers[i]);
        }
        arguments[buffers.length] = examples;
        List<Range> ranges =
                Arrays.stream(buffers)
                        .map(buffer -> new Range(Pointer.nativeValue(buffer), buffer.size()))
                        .toList();
        try {
            return launch(spec.launch().rows(examples), seed, ranges, arguments);
        } finally {
            // The kernel has their addresses only: without this they may be freed while it runs.
            Reference.reachabilityFence(buffers);
        }
    }

    /**
     * Launches the kernel.
     *
     * @param rows blocks along the grid's first dimension
     * @param seed the schedule: 0 is in order, 1 backwards, each other a random one
     * @param ranges what it may touch; if there are none, accesses are not checked
     * @param arguments all arguments
     * @return what went wrong, and where; empty if nothing did
     */
    public Optional<String> launch(int rows, long seed, List<Range> ranges, long... arguments) {
        long[] flat = new long[Math.max(2, 2 * ranges.size())];
        for (int i = 0; i < ranges.size(); i++) {
            flat[2 * i] = ranges.get(i).address();
            flat[2 * i + 1] = ranges.get(i).bytes();
        }
        Launch shape = spec.launch();
        Object[] values = {
            function,
            arguments,
            arguments.length,
            flat,
            ranges.size(),
            (long) rows,
            shape.columns(),
            shape.threads(),
            shape.sharedBytes(),
            seed
        };
        synchronized (library) {
            @Nullable String fault = (String) launch.invoke(String.class, values);
            lastExtraPhases = extraPhases.invokeLong(new Object[0]);
            return Optional.ofNullable(fault);
        }
    }

    /** {@return phases that the last launch's matrix loads lost to bank conflicts} */
    public long extraPhases() {
        return lastExtraPhases;
    }
}
