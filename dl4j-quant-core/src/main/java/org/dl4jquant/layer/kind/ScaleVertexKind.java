// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PointwiseVertexForm;

/** A vertex that multiplies each element by a number. */
record ScaleVertexKind(ScaleVertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.RESCALES;
    }

    @Override
    public boolean keepsSign() {
        return configuration.getScaleFactor() >= 0;
    }

    @Override
    public IntegerSupport integers() {
        float factor = (float) configuration.getScaleFactor();
        return PointwiseVertexForm.of(value -> value * factor);
    }
}
