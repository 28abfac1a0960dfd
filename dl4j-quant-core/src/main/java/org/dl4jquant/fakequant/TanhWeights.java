// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import org.dl4jquant.check.Require;

/**
 * DoReFa's form of weights before they are rounded: {@code tanh(w) / max|tanh(w)|} over a whole
 * tensor, in [-1, 1].
 *
 * <p>Computed in float64 by {@link StrictMath} on the host, whatever the backend: so the same
 * weights have the same codes on every machine, in training and when they are lowered.
 *
 * @see <a href="https://arxiv.org/abs/1606.06160">Zhou et al., DoReFa-Net, 2016, eq. 9</a>
 */
public final class TanhWeights {

    private final double[] tanh;
    private final int largest;

    private TanhWeights(double[] tanh, int largest) {
        this.tanh = tanh;
        this.largest = largest;
    }

    /**
     * Computes the form of a tensor.
     *
     * @param weights all weights of the tensor, in any order, at least one
     * @return their form
     * @throws IllegalArgumentException if there are none
     */
    public static TanhWeights of(float[] weights) {
        Require.argument(weights.length > 0, "a tensor without weights has no form to round");
        double[] tanh = new double[weights.length];
        int largest = 0;
        for (int i = 0; i < tanh.length; i++) {
            tanh[i] = StrictMath.tanh(weights[i]);
            if (Math.abs(tanh[i]) > Math.abs(tanh[largest])) {
                largest = i;
            }
        }
        return new TanhWeights(tanh, largest);
    }

    /** {@return the weights between -1 and 1, in the order given; all 0 if all weights are} */
    public float[] normalized() {
        double most = most();
        float[] normalized = new float[tanh.length];
        for (int i = 0; i < normalized.length; i++) {
            normalized[i] = (float) (tanh[i] / most);
        }
        return normalized;
    }

    /**
     * Returns the loss's gradient with respect to the weights.
     *
     * <p>The maximum counts as what it is, a function of one weight: that weight's own form is +1
     * or -1 whatever it is, and all others shrink when it grows.
     *
     * @param upstream loss per unit of each normalized weight, in the order given
     * @return loss per unit of each weight
     * @throws IllegalArgumentException if there is not one for each weight
     */
    public float[] backward(float[] upstream) {
        Require.argument(
                upstream.length == tanh.length,
                "%d gradients for %d weights; there must be one for each",
                upstream.length,
                tanh.length);
        double most = most();
        double byMost = 0;
        for (int i = 0; i < tanh.length; i++) {
            byMost -= upstream[i] * tanh[i] / (most * most);
        }
        float[] gradients = new float[tanh.length];
        for (int i = 0; i < gradients.length; i++) {
            double byTanh = upstream[i] / most;
            if (i == largest) {
                byTanh += byMost * Math.signum(tanh[i]);
            }
            gradients[i] = (float) (byTanh * (1 - tanh[i] * tanh[i]));
        }
        return gradients;
    }

    private double most() {
        double most = Math.abs(tanh[largest]);
        return most > 0 ? most : 1;
    }
}
