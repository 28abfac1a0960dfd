// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.plan.Candidates;

/**
 * What an engine is compiled for.
 *
 * @param architectures the GPUs, each once
 * @param examples the batch that it is mostly run with, for which its kernels are cut; it runs with
 *     any, and the codes do not depend on it
 * @param traces whether it can give the result of every node, too, which about doubles its size and
 *     the time that it is compiled in
 * @param tactics how many kernels of each product are compiled for each of the batches 1, 8, 32,
 *     128 and 256 and that above, for the device to choose from; 0 for the one that should be the
 *     fastest for the batch above
 */
public record Target(List<Architecture> architectures, int examples, boolean traces, int tactics) {

    private static final int EXAMPLES = 8;
    private static final List<Integer> BATCHES = List.of(1, 8, 32, 128, 256);

    /** Checks that there is an architecture. */
    public Target {
        architectures = List.copyOf(new LinkedHashSet<>(architectures));
        Require.argument(!architectures.isEmpty(), "a target needs at least one architecture");
        Require.argument(examples >= 1, "a target for batches of %d", examples);
        Require.argument(tactics >= 0, "a target with %d tactics", tactics);
    }

    /**
     * {@return batches of about 8 on these GPUs, without traces}
     *
     * @param architectures the GPUs
     */
    public static Target of(Architecture... architectures) {
        return new Target(List.of(architectures), EXAMPLES, false, 0);
    }

    /**
     * {@return batches of about 8 on GPUs that are given by the names that compilers use}
     *
     * @param architectures such as {@code sm_80,sm_90a}
     * @throws IllegalArgumentException if one is unknown; the message lists those that are known
     */
    public static Target parse(String architectures) {
        List<Architecture> found = new ArrayList<>();
        for (String name : architectures.split(",", -1)) {
            List<Architecture> all = List.of(Architecture.values());
            found.add(
                    all.stream()
                            .filter(each -> each.target().equals(name.strip()))
                            .findFirst()
                            .orElseThrow(() -> unknown(name)));
        }
        return new Target(found, EXAMPLES, false, 0);
    }

    private static IllegalArgumentException unknown(String name) {
        List<String> known =
                Arrays.stream(Architecture.values()).map(Architecture::target).toList();
        return new IllegalArgumentException(
                "'"
                        + name
                        + "' is no architecture that engines are compiled for; known are "
                        + known);
    }

    /**
     * {@return the same for another batch}
     *
     * @param newExamples the batch that it is mostly run with
     */
    public Target withExamples(int newExamples) {
        return new Target(architectures, newExamples, traces, tactics);
    }

    /** {@return the same, with the results of all nodes} */
    public Target withTraces() {
        return new Target(architectures, examples, true, tactics);
    }

    /**
     * {@return the same, with several kernels of each product, of which the device chooses: by
     * times if it was tuned, see {@link EngineOnDevice#tune}, or else by the model}
     *
     * @param newTactics how many for each of several batches
     */
    public Target withTactics(int newTactics) {
        return new Target(architectures, examples, traces, newTactics);
    }

    Candidates candidates() {
        if (tactics == 0) {
            return Candidates.best(examples);
        }
        Set<Integer> batches = new LinkedHashSet<>(List.of(examples));
        batches.addAll(BATCHES);
        return new Candidates(List.copyOf(batches), tactics);
    }
}
