// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A batch normalization that computes in a training pass what it computes in inference, {@code
 * factor * x + shift} by the running statistics, and gives back that line's gradient.
 *
 * <p>A network is used with its running statistics, so its loss must be derived with them. With the
 * statistics of a batch the loss would not change with the scale of the weights before, and of a
 * single example nothing would be left but its deviations from itself.
 */
final class FixedNormalization extends BaseWrapperLayer {

    private static final long serialVersionUID = 1;

    private FixedNormalization(Layer normalization) {
        super(normalization);
    }

    /** Fixes all batch normalizations of a network, which is of no use for training then. */
    static void fixAll(MultiLayerNetwork network) {
        Layer[] layers = network.getLayers();
        for (int i = 0; i < layers.length; i++) {
            if (isNormalization(layers[i])) {
                layers[i] = new FixedNormalization(layers[i]);
            }
        }
    }

    /** Fixes all batch normalizations of a network, which is of no use for training then. */
    static void fixAll(ComputationGraph network) {
        GraphVertex[] vertices = network.getVertices();
        for (int i = 0; i < vertices.length; i++) {
            if (vertices[i] instanceof LayerVertex vertex && isNormalization(vertex.getLayer())) {
                vertices[i] = fixed(network, vertex);
            }
        }
    }

    private static LayerVertex fixed(ComputationGraph network, LayerVertex vertex) {
        return new LayerVertex(
                network,
                vertex.getVertexName(),
                vertex.getVertexIndex(),
                vertex.getInputVertices(),
                vertex.getOutputVertices(),
                new FixedNormalization(vertex.getLayer()),
                vertex.getLayerPreProcessor(),
                vertex.isOutputVertex(),
                network.getConfiguration().getDataType());
    }

    private static boolean isNormalization(Layer layer) {
        return layer.conf().getLayer() instanceof BatchNormalization;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr mgr) {
        return underlying.activate(false, mgr);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr mgr) {
        return underlying.activate(input, false, mgr);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray upstream, LayerWorkspaceMgr mgr) {
        INDArray zeros = upstream.ulike().assign(0);
        INDArray ones = upstream.ulike().assign(1);
        LayerWorkspaceMgr none = LayerWorkspaceMgr.noWorkspaces();
        INDArray shift = underlying.activate(zeros, false, none).dup();
        INDArray factor = underlying.activate(ones, false, none).sub(shift);
        INDArray gradient = mgr.leverageTo(ArrayType.ACTIVATION_GRAD, upstream.mul(factor));
        return new Pair<>(new DefaultGradient(), gradient);
    }
}
