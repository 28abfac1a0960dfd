// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

/**
 * What learned step sizes multiply the gradient of a scale by.
 *
 * <p>N is the number of values that share the scale (of an activation the features of one example),
 * Q_P the largest code.
 *
 * @see <a href="https://arxiv.org/abs/1902.08153">Esser et al., Learned Step Size Quantization,
 *     2020, section 2.2</a>
 */
public enum GradientScale {
    /** 1: the gradient as it is. It grows with the tensor, and wants a low learning rate. */
    ONE,

    /** {@code 1 / sqrt(N)}. */
    COUNT,

    /**
     * {@code 1 / sqrt(N * Q_P)}, the paper's: relative to themselves, scales move about as fast as
     * the weights do.
     */
    COUNT_AND_LEVELS;

    /**
     * {@return the factor}
     *
     * @param elements N, above 0
     * @param positiveCodes Q_P, above 0
     */
    public double factor(long elements, int positiveCodes) {
        return switch (this) {
            case ONE -> 1;
            case COUNT -> 1 / Math.sqrt((double) elements);
            case COUNT_AND_LEVELS -> 1 / Math.sqrt((double) elements * positiveCodes);
        };
    }
}
