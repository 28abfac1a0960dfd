// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How far the trained network's own inference and an engine agree.
 *
 * @param examples how many examples were compared
 * @param codes how many codes were compared
 * @param differing how many codes differ, by layer; only layers that were compared are listed
 * @param largestDifference the largest distance of two codes
 * @param top1Changed for how many examples, or pixels or time steps of them where an output has a
 *     class for each, the two name another class
 * @param values how many values of outputs were compared
 * @param differingValues how many of them differ in any bit, by the graph's output
 */
public record SimulatorReport(
        long examples,
        long codes,
        Map<String, Long> differing,
        int largestDifference,
        long top1Changed,
        long values,
        Map<String, Long> differingValues) {

    /** Copies the counts. */
    public SimulatorReport {
        differing = Collections.unmodifiableMap(new LinkedHashMap<>(differing));
        differingValues = Collections.unmodifiableMap(new LinkedHashMap<>(differingValues));
    }

    /** {@return how many codes of all layers differ} */
    public long differingCodes() {
        return sum(differing);
    }

    /** {@return how many values of all outputs differ} */
    public long differingOutputs() {
        return sum(differingValues);
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    /**
     * {@return the counts in one line, then one line for each layer and each output that differs}
     */
    @Override
    public String toString() {
        StringBuilder text =
                new StringBuilder(
                        String.format(
                                "%d of %d codes differ over %d examples, by %d at most; %d of %d"
                                        + " output values differ; top-1 changed for %d",
                                differingCodes(),
                                codes,
                                examples,
                                largestDifference,
                                differingOutputs(),
                                values,
                                top1Changed));
        append(text, differing, "");
        append(text, differingValues, "output ");
        return text.toString();
    }

    private static void append(StringBuilder text, Map<String, Long> counts, String what) {
        counts.forEach(
                (name, count) -> {
                    if (count > 0) {
                        text.append(String.format("%n  %s%s: %d", what, name, count));
                    }
                });
    }
}
