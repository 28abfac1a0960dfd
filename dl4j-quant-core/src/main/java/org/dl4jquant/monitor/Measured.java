// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;

/**
 * The figures of a tensor that are known before its gradient.
 *
 * @param tensor the tensor's name
 * @param scaleParameter the name of the parameter that holds its scales; null if it has none
 * @param smallestScale NaN if it has none
 * @param largestScale NaN if it has none
 * @param noise its rounding noise
 */
record Measured(
        String tensor,
        @Nullable String scaleParameter,
        double smallestScale,
        double largestScale,
        RoundingNoise noise) {

    static Measured of(QuantizedTensor tensor) {
        RoundingNoise noise = RoundingNoise.of(tensor);
        QuantizedTensor.Grid grid = tensor.grid();
        if (grid == null) {
            return new Measured(tensor.name(), null, Double.NaN, Double.NaN, noise);
        }
        double smallest = Double.POSITIVE_INFINITY;
        double largest = Double.NEGATIVE_INFINITY;
        for (float scale : RowMajor.floats(grid.scales())) {
            smallest = Math.min(smallest, scale);
            largest = Math.max(largest, scale);
        }
        return new Measured(tensor.name(), grid.parameter(), smallest, largest, noise);
    }

    QuantizerStatistics statistics(int iteration, int epoch, String layer, String parameters) {
        return new QuantizerStatistics(
                iteration,
                epoch,
                layer,
                parameters,
                tensor,
                smallestScale,
                largestScale,
                noise.saturation(),
                noise.sqnr(),
                Double.NaN);
    }
}
