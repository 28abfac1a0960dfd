// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.integer.Call;
import org.dl4jquant.layer.integer.LayerTensors;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.scale.ScaleLinks;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The running side of a {@link QuantizedJoint}. */
// DL4J's vertices are serializable in name only, and differ from their interface in varargs.
@SuppressWarnings({"serial", "overrides"})
final class QuantizedJointRuntime extends ElementWiseVertex {

    /* DL4J's result is computed in any case, because backward asks for what it notes, and because it
     * makes the array of the right shape in the right workspace; inference then overwrites it. The
     * scales are read anew each time: they are parameters, and learn. */

    private final QuantizedJoint conf;

    QuantizedJointRuntime(
            QuantizedJoint conf, ComputationGraph graph, String name, int index, DataType type) {
        super(graph, name, index, Op.valueOf(conf.getOp().name()), type);
        this.conf = conf;
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaceMgr) {
        INDArray joint = super.doForward(training, workspaceMgr);
        if (!training && !isCalibrating()) {
            // It overwrites the array of the result.
            conf.form(new Codes())
                    .infer(new Call(workspaceMgr, null, () -> joint), List.of(inputs));
        }
        return joint;
    }

    private boolean isCalibrating() {
        GraphVertex rounder = graph.getVertex(conf.result());
        return rounder != null
                && rounder.hasLayer()
                && QuantizedLayers.isObserved(rounder.getLayer());
    }

    /** The codes of the layers that this vertex reads, and of the one that rounds its result. */
    private final class Codes implements LayerTensors {
        @Override
        public String name() {
            return vertexName;
        }

        @Override
        public @Nullable QuantParams input(int index) {
            return params(index == 0 ? conf.left() : conf.right());
        }

        @Override
        public @Nullable QuantParams codes(TensorRole role) {
            return role == TensorRole.OUTPUT ? params(conf.result()) : null;
        }

        @Override
        public DataType type() {
            return dataType;
        }

        private @Nullable QuantParams params(String layer) {
            return ScaleLinks.read(vertexName, layer, graph.params());
        }
    }
}
