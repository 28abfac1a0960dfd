// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.scale.ScaleLinks;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeSum;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The running side of a {@link QuantizedAddVertex}. */
// DL4J's vertices are serializable in name only, and differ from their interface in varargs.
@SuppressWarnings({"serial", "overrides"})
final class QuantizedAddRuntime extends ElementWiseVertex {

    /* DL4J's sum is computed in any case, because backward asks for what it notes, and because it
     * makes the array of the right shape in the right workspace; inference then overwrites it. The
     * scales are read anew each time: they are parameters, and learn. */

    private final QuantizedAddVertex conf;

    QuantizedAddRuntime(
            QuantizedAddVertex conf,
            ComputationGraph graph,
            String name,
            int index,
            DataType type) {
        super(graph, name, index, Op.Add, type);
        this.conf = conf;
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaceMgr) {
        INDArray sum = super.doForward(training, workspaceMgr);
        if (!training && addsArrays() && !isCalibrating()) {
            addCodes(sum);
        }
        return sum;
    }

    /* Broadcasting and float64 have no integer form. */
    private boolean addsArrays() {
        return dataType == DataType.FLOAT && inputs.length == 2 && inputs[0].equalShapes(inputs[1]);
    }

    private boolean isCalibrating() {
        GraphVertex behind = graph.getVertex(conf.result());
        return behind != null && behind.hasLayer() && QuantizedLayers.isObserved(behind.getLayer());
    }

    /* Scales so far apart that the engines refuse them are left to float. */
    private void addCodes(INDArray sum) {
        QuantParams left = params(conf.left());
        QuantParams right = params(conf.right());
        QuantParams result = params(conf.result());
        // While training goes on in float or half precision there are no codes to add.
        if (left == null || right == null || result == null) {
            return;
        }
        if (CodeSum.canAdd(left, result) && CodeSum.canAdd(right, result)) {
            float[] values = RowMajor.floats(inputs[0]);
            CodeSum.of(left, right, result, result.range())
                    .addValues(values, RowMajor.floats(inputs[1]), values);
            RowMajor.copyInto(values, sum);
        }
    }

    private @Nullable QuantParams params(String layer) {
        return ScaleLinks.read(vertexName, layer, graph.params());
    }
}
