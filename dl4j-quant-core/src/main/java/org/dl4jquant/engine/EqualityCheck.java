// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import java.util.Map;
import org.dl4jquant.check.Require;

/**
 * Compares two engines that run one graph, in every code of every node. There is no tolerance.
 *
 * <p>Each engine runs every batch twice: once with {@link Engine#trace}, whose results are compared
 * node by node, and once with {@link Engine#run}, whose outputs are compared with the other
 * engine's trace, after the graph's last functions. An engine may compile the two differently, so
 * that one does not prove the other.
 */
public final class EqualityCheck {

    private final Engine left;
    private final Engine right;

    private EqualityCheck(Engine left, Engine right) {
        this.left = left;
        this.right = right;
    }

    /**
     * Returns the comparison of two engines.
     *
     * @param left an engine
     * @param right an engine that runs an equal graph
     * @return the comparison
     * @throws IllegalArgumentException if the engines run different graphs
     */
    public static EqualityCheck between(Engine left, Engine right) {
        Require.given(left, "left");
        Require.given(right, "right");
        Require.argument(
                left.graph().equals(right.graph()),
                "the engines run different graphs (%s and %s); open both with one graph",
                left.graph(),
                right.graph());
        return new EqualityCheck(left, right);
    }

    /**
     * {@return the result of the comparison}
     *
     * @param batches for each run one batch for each input node, by name
     * @throws IllegalArgumentException if an engine refuses an input
     */
    public EqualityReport over(Iterable<Map<String, Batch.Floats>> batches) {
        Comparison comparison = new Comparison(left, right);
        for (Map<String, Batch.Floats> batch : batches) {
            comparison.add(batch);
        }
        return comparison.report();
    }

    /**
     * {@return the result of the comparison}
     *
     * @param batch one batch for each input node, by name
     * @throws IllegalArgumentException if an engine refuses an input
     */
    public EqualityReport over(Map<String, Batch.Floats> batch) {
        return over(List.of(batch));
    }
}
