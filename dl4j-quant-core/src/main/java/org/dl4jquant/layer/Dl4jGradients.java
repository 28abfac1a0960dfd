// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationMish;
import org.nd4j.linalg.activations.impl.ActivationSoftPlus;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * DL4J's gradients, mended where they have another shape than their values, or are NaN where the
 * derivative is finite.
 */
final class Dl4jGradients {

    /** Functions whose derivative ND4J computes by powers of e that overflow. */
    private static final Set<Class<?>> OVERFLOWING =
            Set.of(
                    ActivationGELU.class,
                    ActivationMish.class,
                    ActivationSoftPlus.class,
                    ActivationSwish.class);

    /** From here on, the derivative of all these functions is 1 in float32. */
    private static final double LINEAR_FROM = 20;

    private Dl4jGradients() {}

    /**
     * {@return a gradient in the shape of its values: some of DL4J's preprocessors and layers give
     * the gradient of a matrix back as a sequence of one step}
     *
     * @param values the values that the gradient belongs to
     * @param gradient loss per unit of each value; as it is if more than axes of one element differ
     */
    static INDArray shapedLike(INDArray values, INDArray gradient) {
        return !Arrays.equals(values.shape(), gradient.shape())
                        && Arrays.equals(longAxes(values), longAxes(gradient))
                ? gradient.dup('c').reshape('c', values.shape())
                : gradient;
    }

    private static long[] longAxes(INDArray array) {
        return Arrays.stream(array.shape()).filter(size -> size != 1).toArray();
    }

    /**
     * {@return the gradient before an activation function}
     *
     * @param function the function
     * @param at its argument; changed
     * @param upstream loss per unit of its result
     */
    static INDArray throughFunction(IActivation function, INDArray at, INDArray upstream) {
        INDArray argument =
                OVERFLOWING.contains(function.getClass())
                        ? Transforms.min(at, LINEAR_FROM, false)
                        : at;
        return function.backprop(argument, upstream).getFirst();
    }

    /**
     * {@return the gradients of a pool that computes p-norms}
     *
     * @param pool the running layer, without quantizers
     * @param upstream loss per unit of its result
     * @param mgr the workspaces
     */
    static Pair<Gradient, INDArray> throughPNorm(
            Layer pool, INDArray upstream, LayerWorkspaceMgr mgr) {
        org.deeplearning4j.nn.conf.layers.Layer conf = pool.conf().getLayer();
        INDArray x = pool.input();
        INDArray mask = pool.getMaskArray();
        INDArray gradient =
                Detached.compute(() -> PNormGradient.of(conf, x, mask, seen(pool, mask, upstream)));
        IDropout dropout = conf.getIDropout();
        if (dropout != null) {
            dropout.backprop(gradient, gradient, pool.getIterationCount(), pool.getEpochCount());
        }
        return new Pair<>(new DefaultGradient(), mgr.dup(ArrayType.ACTIVATION_GRAD, gradient));
    }

    /* What a one-dimensional pool computes of steps that are hidden is hidden, too. */
    private static INDArray seen(Layer pool, @Nullable INDArray mask, INDArray upstream) {
        if (mask == null || !(pool.conf().getLayer() instanceof Subsampling1DLayer)) {
            return upstream;
        }
        INDArray of =
                pool.feedForwardMaskArray(mask, MaskState.Active, (int) upstream.size(0))
                        .getFirst();
        return upstream.mul(of.reshape(of.size(0), 1, of.size(1)));
    }
}
