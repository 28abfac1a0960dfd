// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * What the comparison of two engines found.
 *
 * @param engines the names of the two engines
 * @param examples how many examples were run
 * @param codesCompared how many codes (and float32 results, which must be equal too) were compared
 * @param differing how many of them differ, for every node in the graph's order
 * @param first the first difference found; null if there is none
 */
public record EqualityReport(
        List<String> engines,
        long examples,
        long codesCompared,
        Map<String, Long> differing,
        @Nullable Difference first) {

    /**
     * One place where the engines differ.
     *
     * @param node the node's name
     * @param example the number of the example, from 0 over all batches
     * @param index the row-major index in the node's result
     * @param found the result of either engine there: a code, or a float32 value
     */
    public record Difference(String node, long example, int index, List<Number> found) {
        /** Checks that there are two findings. */
        public Difference {
            Objects.requireNonNull(node, "node");
            found = List.copyOf(found);
            Require.argument(found.size() == 2, "a difference is between 2, not %d", found.size());
        }
    }

    /** Copies the counts, and checks that there are two engines. */
    public EqualityReport {
        engines = List.copyOf(engines);
        Require.argument(engines.size() == 2, "a report is on 2 engines, not %d", engines.size());
        differing = Collections.unmodifiableMap(new LinkedHashMap<>(differing));
    }

    /** {@return how many codes of all nodes differ} */
    public long differingCodes() {
        return differing.values().stream().mapToLong(Long::longValue).sum();
    }

    /** {@return whether something was compared and nothing differs} */
    public boolean equal() {
        return codesCompared > 0 && differingCodes() == 0;
    }

    /**
     * Requires that the engines are equal.
     *
     * @return this report
     * @throws IllegalStateException if a code differs, or nothing was compared; the message names
     *     the first difference and counts all
     */
    @CanIgnoreReturnValue
    public EqualityReport requireEqual() {
        Require.state(equal(), "%s", this);
        return this;
    }

    @Override
    public String toString() {
        String what =
                "%d of %d codes of %d examples differ between the engines '%s' and '%s'"
                        .formatted(
                                differingCodes(),
                                codesCompared,
                                examples,
                                engines.get(0),
                                engines.get(1));
        if (first == null) {
            return codesCompared == 0 ? what + "; no input was given" : what;
        }
        Map<String, Long> nodes = new LinkedHashMap<>(differing);
        nodes.values().removeIf(count -> count == 0);
        return "%s; first at node '%s', example %d, index %d: %s and %s; by node: %s"
                .formatted(
                        what,
                        first.node(),
                        first.example(),
                        first.index(),
                        first.found().get(0),
                        first.found().get(1),
                        nodes);
    }
}
