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
 * @param expansions which of the constants are others, unpacked, in the order of their places
 * @param arenaBytes the arena's size for each example of the batch
 * @param inputs what comes from outside, float32
 * @param outputs what leaves
 */
public record Plan(
        List<Step> steps,
        ByteBuffer constants,
        List<Expansion> expansions,
        long arenaBytes,
        List<Port> inputs,
        List<Port> outputs) {

    /** Copies the lists, and checks that every address is inside its memory. */
    public Plan {
        steps = List.copyOf(steps);
        constants = constants.asReadOnlyBuffer();
        expansions = List.copyOf(expansions);
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        PlanBounds.check(steps, constants.remaining(), arenaBytes, inputs, outputs);
    }

    /**
     * Codes of a byte that are stored as codes of 4 bits, two to a byte.
     *
     * @param from where the packed codes begin, in the constants
     * @param to where their place is
     * @param rows how many rows there are
     * @param rowBytes codes of a row
     */
    public record Expansion(long from, long to, int rows, int rowBytes) {

        /** {@return the size of the place} */
        public long bytes() {
            return (long) rows * rowBytes;
        }
    }

    /**
     * A plan whose constants are all stored as they are.
     *
     * @param steps as above
     * @param constants as above
     * @param arenaBytes as above
     * @param inputs as above
     * @param outputs as above
     */
    public Plan(
            List<Step> steps,
            ByteBuffer constants,
            long arenaBytes,
            List<Port> inputs,
            List<Port> outputs) {
        this(steps, constants, List.of(), arenaBytes, inputs, outputs);
    }

    /** {@return the kernels, each once, in the order of their first launch} */
    public Set<KernelSpec> kernels() {
        Set<KernelSpec> kernels = new LinkedHashSet<>();
        steps.forEach(step -> step.ways().forEach(way -> kernels.add(way.kernel())));
        return kernels;
    }

    /** {@return bytes of zeros that launches use one after the other} */
    public int scratchBytes() {
        return kernels().stream()
                .mapToInt(kernel -> kernel.launch().scratchBytes())
                .max()
                .orElse(0);
    }
}
