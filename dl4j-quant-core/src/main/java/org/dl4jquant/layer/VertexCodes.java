// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.dl4jquant.layer.integer.LayerTensors;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.scale.ScaleLinks;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The codes of the layers that a vertex reads, and of the one that rounds its result. The scales
 * are read anew each time: they are parameters, and learn.
 *
 * @param graph the running network
 * @param vertex the vertex's name
 * @param sources the layers that made the codes of its inputs, in order
 * @param result the layer after it, which rounds its result
 * @param type the network's floating-point type
 */
record VertexCodes(
        ComputationGraph graph, String vertex, List<String> sources, String result, DataType type)
        implements LayerTensors {

    /** {@return whether the layer after the vertex is calibrated, for which it is in float} */
    boolean isCalibrating() {
        GraphVertex rounder = graph.getVertex(result);
        return rounder != null
                && rounder.hasLayer()
                && QuantizedLayers.isObserved(rounder.getLayer());
    }

    @Override
    public String name() {
        return vertex;
    }

    @Override
    public @Nullable QuantParams input(int index) {
        return params(sources.get(index));
    }

    @Override
    public @Nullable QuantParams codes(TensorRole role) {
        return role == TensorRole.OUTPUT ? params(result) : null;
    }

    private @Nullable QuantParams params(String layer) {
        return ScaleLinks.read(vertex, layer, graph.params());
    }
}
