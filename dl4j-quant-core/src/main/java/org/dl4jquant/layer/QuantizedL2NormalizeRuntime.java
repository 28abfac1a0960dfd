// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.L2NormalizeVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.integer.Call;
import org.dl4jquant.layer.integer.L2NormalizeForm;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The running side of a {@link QuantizedL2NormalizeVertex}. */
// DL4J's vertices are serializable in name only, and differ from their interface in varargs.
@SuppressWarnings({"serial", "overrides"})
final class QuantizedL2NormalizeRuntime extends L2NormalizeVertex {

    private final QuantizedL2NormalizeVertex conf;

    QuantizedL2NormalizeRuntime(
            QuantizedL2NormalizeVertex conf,
            ComputationGraph graph,
            String name,
            int index,
            DataType type) {
        super(graph, name, index, conf.getDimension(), conf.getEps(), type);
        this.conf = conf;
    }

    /* DL4J's result is computed in any case: it makes the array in the right workspace. */
    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaceMgr) {
        INDArray result = super.doForward(training, workspaceMgr);
        VertexCodes codes =
                new VertexCodes(graph, vertexName, conf.sources(), conf.result(), dataType);
        if (!training && !codes.isCalibrating()) {
            L2NormalizeForm.of(conf, codes)
                    .infer(new Call(workspaceMgr, null, () -> result), List.of(inputs))
                    .forEach(exact -> result.assign(exact));
        }
        return result;
    }
}
