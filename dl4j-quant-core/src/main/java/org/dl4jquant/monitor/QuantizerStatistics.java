// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.util.Objects;

/**
 * How one quantizer did in one iteration, before its update.
 *
 * <p>A figure that does not exist is NaN: the scales of half precision, the gradient ratio where
 * the layer has no weight that learns.
 *
 * @param iteration the network's count of iterations
 * @param epoch the network's count of epochs
 * @param layer the layer's name
 * @param parameters the prefix of the layer's parameter names in the whole network: its index in a
 *     {@code MultiLayerNetwork}, its name in a {@code ComputationGraph}
 * @param tensor a weight's parameter name, or {@code input}, {@code pre-activation}, {@code hidden}
 *     (the hidden state of a recurrent layer, all steps), {@code hidden-backward} (the same of the
 *     direction that goes back in time) or {@code output}
 * @param smallestScale units per code; the smallest of several channels
 * @param largestScale units per code; the largest of several channels
 * @param saturation the share of all values whose nearest code lay outside of the codes that there
 *     are, and was clipped; in [0, 1]. What a ReLU makes 0 is not clipped.
 * @param sqnr signal to quantization noise in decibels, {@code 10 log10(sum v^2 / sum (v - q)^2)};
 *     infinite without noise
 * @param gradientRatio {@code (|grad s| / |s|) / (|grad w| / |w|)}, Euclidean norms, with s the
 *     scales of this quantizer; w is the weight that they belong to, or all rounded weights of the
 *     layer for an activation. About 1 where scales and weights learn equally fast.
 * @see <a href="https://arxiv.org/abs/1902.08153">Esser et al., LSQ, 2020, section 2.2: R</a>
 */
public record QuantizerStatistics(
        int iteration,
        int epoch,
        String layer,
        String parameters,
        String tensor,
        double smallestScale,
        double largestScale,
        double saturation,
        double sqnr,
        double gradientRatio) {

    /** Checks that the names are there. */
    public QuantizerStatistics {
        Objects.requireNonNull(layer, "layer");
        Objects.requireNonNull(parameters, "parameters");
        Objects.requireNonNull(tensor, "tensor");
    }

    QuantizerStatistics withGradientRatio(double ratio) {
        return new QuantizerStatistics(
                iteration,
                epoch,
                layer,
                parameters,
                tensor,
                smallestScale,
                largestScale,
                saturation,
                sqnr,
                ratio);
    }
}
