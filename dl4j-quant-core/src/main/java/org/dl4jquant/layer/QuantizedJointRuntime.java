// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.integer.Call;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The running side of a {@link QuantizedJoint}. */
// DL4J's vertices are serializable in name only, and differ from their interface in varargs.
@SuppressWarnings({"serial", "overrides"})
final class QuantizedJointRuntime extends ElementWiseVertex {

    /* DL4J's result is computed in any case, because backward asks for what it notes, and because it
     * makes the array of the right shape in the right workspace; inference then overwrites it. */

    private final QuantizedJoint conf;

    QuantizedJointRuntime(
            QuantizedJoint conf, ComputationGraph graph, String name, int index, DataType type) {
        super(graph, name, index, Op.valueOf(conf.getOp().name()), type);
        this.conf = conf;
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaceMgr) {
        INDArray joint = super.doForward(training, workspaceMgr);
        VertexCodes codes =
                new VertexCodes(graph, vertexName, conf.sources(), conf.result(), dataType);
        if (!training && !codes.isCalibrating()) {
            // It overwrites the array of the result.
            conf.form(codes).infer(new Call(workspaceMgr, null, () -> joint), List.of(inputs));
        }
        return joint;
    }
}
