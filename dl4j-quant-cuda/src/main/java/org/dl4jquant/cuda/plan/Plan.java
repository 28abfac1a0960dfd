// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.dl4jquant.cuda.kernel.KernelSpec;

/**
 * What a device does for a batch of any size: launches in order, and the memory that they need.
 *
 * @param steps the launches, each behind those whose results it reads
 * @param constants weights, multipliers and tables; read-only
 * @param arenaBytes the arena's size for each example of the batch
 * @param inputs what comes from outside, float32
 * @param outputs what leaves
 */
public record Plan(
        List<Step> steps,
        ByteBuffer constants,
        long arenaBytes,
        List<Port> inputs,
        List<Port> outputs) {

    /** Copies the lists. */
    public Plan {
        steps = List.copyOf(steps);
        constants = constants.asReadOnlyBuffer();
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /** {@return the kernels, each once, in the order of their first launch} */
    public Set<KernelSpec> kernels() {
        Set<KernelSpec> kernels = new LinkedHashSet<>();
        steps.forEach(step -> kernels.add(step.kernel()));
        return kernels;
    }
}
