// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.cuda.kernel.KernelSpec;

/**
 * One launch.
 *
 * @param result the graph's node that it computes
 * @param kernel the kernel
 * @param arguments its pointers; the number of examples follows them
 */
public record Step(String result, KernelSpec kernel, List<Argument> arguments) {

    /** Copies the arguments. */
    public Step {
        Objects.requireNonNull(kernel, "kernel");
        arguments = List.copyOf(arguments);
    }
}
