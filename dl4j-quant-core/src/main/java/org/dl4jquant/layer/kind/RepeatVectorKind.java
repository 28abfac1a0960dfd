// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.dl4jquant.layer.integer.ChannelsLastForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/** A layer that gives the same features at each time step. */
record RepeatVectorKind(RepeatVector configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public IntegerSupport integers() {
        return ChannelsLastForm.of(
                configuration.getDataFormat(),
                MoveForm.of(
                        configuration,
                        1,
                        features -> repeated(features.size(0), configuration.getN())));
    }

    private static IndexMap repeated(int features, int steps) {
        return new IndexMap(
                Shape.of(features, 1),
                List.of(0, 1),
                List.of(AxisIndices.identity(features), AxisIndices.repeated(1, steps)),
                Shape.of(features, steps));
    }
}
