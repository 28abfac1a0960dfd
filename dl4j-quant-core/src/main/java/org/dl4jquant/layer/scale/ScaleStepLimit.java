// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.scale;

import java.util.Arrays;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;

/**
 * Keeps one step of gradient descent from destroying a scale.
 *
 * <p>LSQ's own steps are some per cent of a scale. A step that is longer than the scale makes it
 * negative; one that is much longer upwards gives all values one code. Both leave the layer without
 * a gradient that could bring it back. So the gradient of a scale is shortened, if it must be, to
 * what moves the scale by a quarter, and with momentum m to (1 - m)^2 of that: the velocity that
 * gathers then cannot carry the scale through zero (v' = c s - (1 - m) v and s' = -v do not swing
 * for c up to (1 - m)^2 / 4). That depends on parameters, gradient and learning rate alone: a
 * resumed training continues bit for bit.
 */
public final class ScaleStepLimit {

    /* Not tuned. */
    private static final double LONGEST = 0.25;

    private final LayerQuantizers quantizers;
    private final long examples;
    private final int iteration;
    private final int epoch;

    /**
     * Limits the next step of a layer's scales and zero points.
     *
     * @param quantizers the layer's quantizers at the precision in force
     * @param examples the number that DL4J divides the gradients by
     * @param iteration the network's count of iterations
     * @param epoch the network's count of epochs
     */
    public ScaleStepLimit(LayerQuantizers quantizers, long examples, int iteration, int epoch) {
        this.quantizers = quantizers;
        this.examples = examples;
        this.iteration = iteration;
        this.epoch = epoch;
    }

    /**
     * Shortens the gradient of one parameter.
     *
     * @param key its name
     * @param parameter scales, or a zero point
     * @param gradients a view of the network's gradient, sums over the examples; changed
     * @param updater the updater of the parameter
     */
    public void shorten(String key, INDArray parameter, INDArray gradients, IUpdater updater) {
        double share = share(updater);
        if (share < Double.POSITIVE_INFINITY) {
            shorten(gradients, lengths(key, parameter), share);
        }
    }

    /* The longest gradient in scales. */
    private double share(IUpdater updater) {
        double rate = updater.hasLearningRate() ? updater.getLearningRate(iteration, epoch) : 0;
        double forgotten = 1;
        if (updater instanceof Nesterovs momentum) {
            forgotten -= momentum.currentMomentum(iteration, epoch);
        }
        return rate > 0
                ? LONGEST * forgotten * forgotten * examples / rate
                : Double.POSITIVE_INFINITY;
    }

    /* The measure of a step: a scale itself, and the number of codes for a zero point in use. */
    private float[] lengths(String key, INDArray parameter) {
        float[] lengths = RowMajor.floats(parameter);
        for (TensorRole role : TensorRole.values()) {
            ActivationScheme scheme = quantizers.scheme(role);
            if (role.zeroKey().equals(key) && scheme != null && scheme.isInteger()) {
                Arrays.fill(lengths, scheme.range().max() - scheme.range().min());
            }
        }
        return lengths;
    }

    private static void shorten(INDArray gradients, float[] values, double share) {
        float[] steps = RowMajor.floats(gradients);
        for (int i = 0; i < steps.length; i++) {
            // A zero point that is not in use is its own length, and may be negative.
            double longest = share * Math.abs(values[i]);
            if (Math.abs(steps[i]) > longest) {
                gradients.putScalar(i, Math.copySign(longest, steps[i]));
            }
        }
    }
}
