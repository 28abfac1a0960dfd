// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.L2NormalizeForm;

/** A vertex that divides each example by its length. */
record L2NormalizeKind(L2NormalizeVertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.NORMALIZES;
    }

    @Override
    public IntegerSupport integers() {
        return L2NormalizeForm.of(configuration);
    }
}
