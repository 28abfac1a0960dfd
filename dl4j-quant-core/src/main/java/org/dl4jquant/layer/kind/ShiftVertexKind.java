// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PointwiseVertexForm;

/** A vertex that adds a number to each element. */
record ShiftVertexKind(ShiftVertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.RESCALES;
    }

    @Override
    public boolean keepsSign() {
        return configuration.getShiftFactor() >= 0;
    }

    @Override
    public IntegerSupport integers() {
        float factor = (float) configuration.getShiftFactor();
        return PointwiseVertexForm.of(value -> value + factor);
    }
}
