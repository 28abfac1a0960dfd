// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import org.dl4jquant.scheme.Estimator;

/**
 * What an estimator makes of gradients, in the words of the passes over tensors.
 *
 * @param elementwise delta of EWGS per code: a gradient is multiplied by {@code 1 + elementwise *
 *     sign(gradient) * (value - code)}; 0 leaves gradients as they are
 * @param byRounding whether the scale learns from rounding errors too, or from clipped values only
 */
record GradientRule(double elementwise, boolean byRounding) {

    /** Clipped gradients, and LSQ's for the scale. */
    static final GradientRule LSQ = new GradientRule(0, true);

    /** Clipped gradients, and PACT's for the scale. */
    static final GradientRule PACT = new GradientRule(0, false);

    /**
     * {@return an estimator's rule}
     *
     * @param estimator how gradients pass
     * @param grid the grid that values are rounded to
     */
    static GradientRule of(Estimator estimator, Grid grid) {
        if (estimator instanceof Estimator.Ewgs ewgs) {
            // The paper measures values in units of the whole range.
            return new GradientRule(ewgs.delta() / (grid.highest() - grid.lowest()), true);
        }
        return estimator instanceof Estimator.Pact ? PACT : LSQ;
    }
}
