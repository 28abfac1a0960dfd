// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import org.dl4jquant.cuda.driver.CudaException;

/**
 * A program in a GPU's memory, and the contexts that run it: each thread has one of its own while
 * it runs, and the next thread gets it after that.
 */
final class ContextPool {

    private final Device device;
    private final LoadedProgram program;
    private final int largestBatch;
    private final Deque<ExecutionContext> idle = new ArrayDeque<>();

    /** A computation in a context. */
    @FunctionalInterface
    interface Task<R> {
        R in(ExecutionContext context);
    }

    ContextPool(Device device, LoadedProgram program, int largestBatch) {
        this.device = device;
        this.program = program;
        this.largestBatch = largestBatch;
    }

    LoadedProgram program() {
        return program;
    }

    /** {@return the result of a task in a context that no other thread uses} */
    <R> R use(Task<R> task) {
        ExecutionContext context = take();
        boolean sound = false;
        try {
            R result = task.in(context);
            sound = true;
            return result;
        } catch (OutOfDeviceMemoryException e) {
            sound = true;
            throw e;
        } finally {
            giveBack(context, sound);
        }
    }

    private ExecutionContext take() {
        synchronized (idle) {
            ExecutionContext free = idle.poll();
            if (free != null) {
                return free;
            }
        }
        return new ExecutionContext(device, program, largestBatch);
    }

    /* Nobody knows what state a stream is in in which something failed. */
    private void giveBack(ExecutionContext context, boolean sound) {
        if (sound) {
            synchronized (idle) {
                idle.push(context);
            }
            return;
        }
        try {
            close(List.of(context));
        } catch (CudaException e) {
            // The error that broke it is on its way to the caller, and says more.
        }
    }

    /** {@return the contexts that no thread uses now, which are the caller's to close} */
    List<ExecutionContext> takeIdle() {
        synchronized (idle) {
            List<ExecutionContext> taken = new ArrayList<>(idle);
            idle.clear();
            return taken;
        }
    }

    /** Closes the contexts that no thread uses: their graphs are of the tactics before. */
    void forgetIdle() {
        close(takeIdle());
    }

    /** Closes contexts, all of them even if one fails. */
    static void close(Collection<ExecutionContext> contexts) {
        Resources old = new Resources();
        contexts.forEach(context -> old.add(context::close));
        old.close();
    }

    /** Adds the program and the contexts that no thread uses to what is given back. */
    void addTo(Resources all) {
        all.add(program::close);
        idle.forEach(context -> all.add(context::close));
    }
}
