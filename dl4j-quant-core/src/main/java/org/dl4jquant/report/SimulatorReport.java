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
 * @param top1Changed for how many examples the two name another class
 */
public record SimulatorReport(
        long examples,
        long codes,
        Map<String, Long> differing,
        int largestDifference,
        long top1Changed) {

    /** Copies the counts. */
    public SimulatorReport {
        differing = Collections.unmodifiableMap(new LinkedHashMap<>(differing));
    }

    /** {@return how many codes of all layers differ} */
    public long differingCodes() {
        return differing.values().stream().mapToLong(Long::longValue).sum();
    }

    /** {@return the counts in one line, then one line for each layer that differs} */
    @Override
    public String toString() {
        StringBuilder text =
                new StringBuilder(
                        String.format(
                                "%d of %d codes differ over %d examples, by %d at most; top-1 changed"
                                        + " for %d",
                                differingCodes(), codes, examples, largestDifference, top1Changed));
        differing.forEach(
                (layer, count) -> {
                    if (count > 0) {
                        text.append(String.format("%n  %s: %d", layer, count));
                    }
                });
        return text.toString();
    }
}
