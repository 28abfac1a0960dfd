// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

/**
 * A layer whose weights may be rounded, but all with one scale: they are not a matrix of inputs and
 * outputs that is known. Locally connected images, attention in a recurrence, factors of elements.
 *
 * @param configuration the configuration
 */
record WeightedKind(Object configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }
}
