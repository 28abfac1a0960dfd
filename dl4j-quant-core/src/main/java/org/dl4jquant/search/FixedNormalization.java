// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.network.NetworkView;
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
    static void fixAll(NetworkView<?> network) {
        for (String name : network.names()) {
            Layer layer = Objects.requireNonNull(network.layer(name));
            if (isNormalization(layer)) {
                network.substitute(name, new FixedNormalization(layer));
            }
        }
    }

    private static boolean isNormalization(Layer layer) {
        return LayerKinds.of(layer.conf().getLayer()).normalization() != null;
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
