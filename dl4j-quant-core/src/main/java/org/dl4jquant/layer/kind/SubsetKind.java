// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;

/** A vertex that takes some channels or features. */
record SubsetKind(SubsetVertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public Resized reading(int axis, long... differences) {
        throw new IllegalArgumentException(
                "it takes the channels %d to %d, and nothing tells which it shall take then"
                        .formatted(configuration.getFrom(), configuration.getTo()));
    }

    @Override
    public IntegerSupport integers() {
        int last = configuration.getTo(); // is taken, too
        AxisIndices channels = AxisIndices.range(configuration.getFrom(), last + 1);
        return MoveForm.of(configuration, 0, shape -> IndexMap.select(shape, 0, channels));
    }
}
