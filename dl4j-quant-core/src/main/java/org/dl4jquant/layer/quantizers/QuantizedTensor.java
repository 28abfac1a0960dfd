// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import java.util.Objects;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.CodeRange;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A tensor of a running layer as its quantizer sees it, for those who measure.
 *
 * @param name a weight's parameter name, or {@code input}, {@code pre-activation}, {@code hidden},
 *     {@code hidden-backward} or {@code output}
 * @param weight whether it is a weight
 * @param values the values that are rounded, not a copy: in training an activation lies in a
 *     workspace, and backward overwrites it
 * @param grid how it is rounded to codes; null for half precision
 * @param zeroBelow whether the quantizer stands for a ReLU too, so that values below 0 count as 0
 */
public record QuantizedTensor(
        String name, boolean weight, INDArray values, @Nullable Grid grid, boolean zeroBelow) {

    /** Checks that the parts are there. */
    public QuantizedTensor {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(values, "values");
    }

    /**
     * The numbers that codes stand for.
     *
     * @param parameter the name of the parameter that holds the scales
     * @param scales units per code, one for each channel, not a copy
     * @param channels which axes of the values number the scales
     * @param range the codes
     * @param zeroPoint the code of the value 0
     */
    public record Grid(
            String parameter, INDArray scales, Channels channels, CodeRange range, int zeroPoint) {

        /** Checks that the parts are there. */
        public Grid {
            Objects.requireNonNull(parameter, "parameter");
            Objects.requireNonNull(scales, "scales");
            Objects.requireNonNull(channels, "channels");
            Objects.requireNonNull(range, "range");
        }
    }
}
