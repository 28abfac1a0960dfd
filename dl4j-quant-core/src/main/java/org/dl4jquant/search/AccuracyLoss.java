// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.List;

/**
 * The accuracy that is lost when one layer alone is rounded, without training: that in float less
 * that with the layer rounded, as a share; below 0 if rounding helps by chance.
 */
public final class AccuracyLoss implements Sensitivity {

    @Override
    public Sensitivities measure(SearchedNetwork network, List<Integer> widths) {
        double inFloat = network.model().evaluate(network.data()).accuracy();
        return LayerTrial.run(
                "accuracy lost",
                network,
                widths,
                prepared -> inFloat - prepared.evaluate(network.data()).accuracy());
    }
}
