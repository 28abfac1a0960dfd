// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.plan.Plan;

/**
 * A plan with its compiled kernels.
 *
 * @param architecture what the kernels were compiled for, such as {@code sm_90a}
 * @param purpose what it is run for
 * @param plan the launches
 * @param cubins a compiled kernel for each entry of the plan's kernels
 */
public record Program(
        String architecture, Purpose purpose, Plan plan, Map<String, ByteBuffer> cubins) {

    /** What a program is run for. */
    public enum Purpose {
        /** The graph's outputs only: kernels are fused, and tensors share memory. */
        RUN,
        /** The result of every node. */
        TRACE
    }

    /** Checks that every kernel is there. */
    public Program {
        Objects.requireNonNull(purpose, "purpose");
        Map<String, ByteBuffer> copy = new LinkedHashMap<>();
        cubins.forEach((entry, cubin) -> copy.put(entry, cubin.asReadOnlyBuffer()));
        cubins = Collections.unmodifiableMap(copy);
        for (KernelSpec kernel : plan.kernels()) {
            Require.argument(
                    cubins.containsKey(kernel.entry()),
                    "the program for %s lacks the kernel %s of %s",
                    architecture,
                    kernel.entry(),
                    kernel.file());
        }
    }
}
