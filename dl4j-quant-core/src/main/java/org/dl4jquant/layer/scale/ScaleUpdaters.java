// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.scale;

import java.util.List;
import org.dl4jquant.check.Require;
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
 * Which updater moves a scale or a zero point.
 *
 * <p>A scale follows plain or Nesterov gradient descent with the weights. Where the weights follow
 * Adam or another adaptive method, the scale follows plain gradient descent at the same learning
 * rate: an adaptive step is about as long as the learning rate whatever the gradient, and an 8-bit
 * scale, perhaps 0.001 itself, would be thrown away in one iteration. LSQ's gradient scale already
 * brings its relative step to that of the weights.
 */
public final class ScaleUpdaters {

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

    /**
     * {@return the updater of a scale or a zero point; none moves it if its estimator does not
     * learn it}
     *
     * @param prepared the quantizers that the layer was prepared for
     * @param key the parameter's name
     * @param followed the updater of the layer's weights, or its substitute; null without one
     */
    public static IUpdater updater(
            LayerQuantizers prepared, String key, @Nullable IUpdater followed) {
        Require.given(prepared, "prepared");
        Require.given(key, "key");
        return learns(prepared, key) ? following(followed) : new NoOp();
    }

    private static boolean learns(LayerQuantizers prepared, String key) {
        TensorScheme scheme = schemeOf(prepared, key);
        if (scheme == null) {
            return false;
        }
        return key.startsWith(TensorRole.ZERO)
                ? scheme.estimator().learnsZeroPoint()
                : scheme.estimator().learnsScale();
    }

    /**
     * {@return PACT's penalty on its clipping value; empty for all other parameters, and while the
     * scale is not in use}
     *
     * @param quantizers the quantizers at the precision in force
     * @param key the name of a scale or a zero point that learns now
     */
    public static List<Regularization> regularization(LayerQuantizers quantizers, String key) {
        Require.given(quantizers, "quantizers");
        Require.given(key, "key");
        TensorScheme scheme = schemeOf(quantizers, key);
        return scheme != null
                        && scheme.format() instanceof IntFormat
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

    private static IUpdater following(@Nullable IUpdater weights) {
        if (weights == null) {
            return new Sgd(RATE_WITHOUT_OTHER);
        }
        if (weights instanceof NoOp || weights instanceof Sgd || weights instanceof Nesterovs) {
            return weights;
        }
        return weights.hasLearningRate()
                ? new Sgd(new FollowedRate(weights))
                : new Sgd(RATE_WITHOUT_OTHER);
    }
}
