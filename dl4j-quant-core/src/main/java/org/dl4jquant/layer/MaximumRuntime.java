// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The running side of a {@link MaximumVertex}. */
// DL4J's vertices are serializable in name only, and differ from their interface in varargs.
@SuppressWarnings({"serial", "overrides"})
final class MaximumRuntime extends ElementWiseVertex {

    MaximumRuntime(ComputationGraph graph, String name, int index, DataType type) {
        super(graph, name, index, Op.Max, type);
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaceMgr) {
        INDArray maximum = super.doForward(training, workspaceMgr);
        for (INDArray input : inputs) {
            if (NonFinite.hasNan(input)) {
                Detached.run(() -> maximum.addi(zeroOrNan(input)));
            }
        }
        return maximum;
    }

    /* Added, it is broadcast as the inputs are. */
    private static INDArray zeroOrNan(INDArray values) {
        float[] flags = RowMajor.floats(values);
        for (int i = 0; i < flags.length; i++) {
            flags[i] = Float.isNaN(flags[i]) ? Float.NaN : 0;
        }
        return RowMajor.array(flags, values.shape()).castTo(values.dataType());
    }
}
