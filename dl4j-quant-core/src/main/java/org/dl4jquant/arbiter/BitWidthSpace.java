// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.arbiter.optimize.parameter.discrete.DiscreteParameterSpace;
import org.dl4jquant.check.Require;

/**
 * The widths that one layer, or several tied together, may have. Use one instance at two places to
 * give both places one width.
 */
public final class BitWidthSpace extends DiscreteParameterSpace<Integer> {

    private static final int LEAST = 2;
    private static final int MOST = 8;

    private final List<Integer> widths;

    private BitWidthSpace(List<Integer> widths) {
        super(widths);
        this.widths = widths;
    }

    /**
     * {@return a space of these widths}
     *
     * @param widths bits, each 2 to 8, each once; one width leaves nothing to search here
     */
    public static BitWidthSpace of(int... widths) {
        Require.given(widths, "widths");
        Require.argument(
                widths.length > 0,
                "a layer has no width to choose from; give one or more of 2 to 8");
        List<Integer> sorted = IntStream.of(widths).sorted().distinct().boxed().toList();
        Require.argument(
                sorted.size() == widths.length
                        && sorted.get(0) >= LEAST
                        && sorted.get(sorted.size() - 1) <= MOST,
                "widths %s; each must be 2 to 8, and named once",
                IntStream.of(widths).boxed().toList());
        return new BitWidthSpace(sorted);
    }

    /** {@return the widths, ascending} */
    public List<Integer> widths() {
        return widths;
    }

    @Override
    public boolean equals(Object other) {
        return this == other; // Arbiter tells leaves apart by identity
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
