// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

/** How gradients pass through the rounding, and whether the scale learns. */
public enum Estimator {
    /**
     * Learned step size quantization: the scale is a parameter with a gradient.
     *
     * @see <a href="https://arxiv.org/abs/1902.08153">Esser et al., 2020</a>
     */
    LSQ,
    /** Clipped straight-through estimator: the scale stays as it was fitted. */
    STE
}
