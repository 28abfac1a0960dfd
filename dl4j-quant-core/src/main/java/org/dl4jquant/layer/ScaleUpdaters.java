// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Which updater moves which parameter of a quantized layer.
 *
 * <p>Weights and normalization keep theirs. A scale follows plain or Nesterov gradient descent with
 * the weights. Where the weights follow Adam or another adaptive method, the scale follows plain
 * gradient descent at the same learning rate: an adaptive step is about as long as the learning
 * rate whatever the gradient, and an 8-bit scale, perhaps 0.001 itself, would be thrown away in one
 * iteration. LSQ's gradient scale already brings its relative step to that of the weights.
 */
final class ScaleUpdaters {

    /**
     * LSQ's learning rate for 8 bits, for weights whose updater has no rate (AdaDelta), and for
     * layers that have no weights and that nobody gave an updater.
     */
    private static final double RATE_WITHOUT_OTHER = 1e-3;

    /**
     * The learning rate of another updater, whatever schedule it follows.
     *
     * @param followed the other updater
     */
    private record FollowedRate(IUpdater followed) implements ISchedule {
        private static final long serialVersionUID = 1L;

        @Override
        public double valueAt(int iteration, int epoch) {
            return followed.getLearningRate(iteration, epoch);
        }

        @Override
        public ISchedule clone() {
            return new FollowedRate(followed.clone());
        }
    }

    private ScaleUpdaters() {}

    static IUpdater updater(QuantizedLayer layer, String key) {
        if (QuantizedParameters.isUnderlying(layer, key)) {
            return ofParameter(layer.getUnderlying(), key);
        }
        BatchNormalization normalization = layer.batchNormalization();
        if (normalization != null && QuantizedParameters.isNormalization(layer, key)) {
            return normalization.getUpdaterByParam(key);
        }
        return learns(layer, key) ? forScales(layer) : new NoOp();
    }

    static boolean learns(QuantizedLayer layer, String key) {
        TensorScheme scheme = schemeOf(layer.preparedQuantizers(), key);
        if (scheme == null) {
            return false;
        }
        return key.startsWith(TensorRole.ZERO)
                ? scheme.estimator().learnsZeroPoint()
                : scheme.estimator().learnsScale();
    }

    /**
     * {@return PACT's penalty on its clipping value; empty for all other parameters, and while the
     * scale is frozen or not in use}
     */
    static List<Regularization> regularization(QuantizedLayer layer, String key) {
        TensorScheme scheme = schemeOf(layer.quantizers(), key);
        return scheme != null
                        && scheme.format() instanceof IntFormat
                        && !layer.hasFrozenScales()
                        && scheme.estimator() instanceof Estimator.Pact pact
                        && pact.regularization() > 0
                ? List.of(new L2Regularization(pact.regularization()))
                : List.of();
    }

    private static @Nullable TensorScheme schemeOf(LayerQuantizers quantizers, String key) {
        for (TensorRole role : TensorRole.values()) {
            if (key.equals(role.scaleKey()) || key.equals(role.zeroKey())) {
                ActivationScheme activation = quantizers.scheme(role);
                return activation == null ? null : activation.scheme();
            }
        }
        return key.startsWith(TensorRole.SCALE) ? quantizers.weights() : null;
    }

    private static IUpdater forScales(QuantizedLayer layer) {
        IUpdater weights = ofWeights(layer);
        if (weights == null) {
            weights = layer.scaleUpdater();
        }
        if (weights == null) {
            return new Sgd(RATE_WITHOUT_OTHER);
        }
        if (weights instanceof NoOp) {
            return weights;
        }
        if (weights instanceof Sgd || weights instanceof Nesterovs) {
            return weights;
        }
        return weights.hasLearningRate()
                ? new Sgd(new FollowedRate(weights))
                : new Sgd(RATE_WITHOUT_OTHER);
    }

    /** {@return what moves the layer's weights; null if it has none} */
    static @Nullable IUpdater ofWeights(QuantizedLayer layer) {
        Layer inner = layer.getUnderlying();
        for (String key : inner.initializer().paramKeys(inner)) {
            return ofParameter(inner, key);
        }
        return null;
    }

    /** A wrapper does not say what updates its layer's parameters; the layer inside does. */
    private static IUpdater ofParameter(Layer layer, String key) {
        if (layer instanceof Bidirectional both) {
            return ofParameter(both.getFwd(), key.substring(1));
        }
        return layer instanceof BaseWrapperLayer wrapper
                ? ofParameter(wrapper.getUnderlying(), key)
                : layer.getUpdaterByParam(key);
    }
}
