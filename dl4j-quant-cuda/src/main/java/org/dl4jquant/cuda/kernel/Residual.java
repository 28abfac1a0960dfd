// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Objects;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.QuantParams;

/**
 * A tensor that is added to a convolution's codes, as {@link org.dl4jquant.numeric.CodeSum} has it.
 *
 * @param params how the tensor's codes stand for values
 * @param pitch bytes from one of its pixels to the next
 * @param right whether it is the sum's right term; the convolution is the other
 * @param sum how the sum's codes stand for values, and their clamp
 */
public record Residual(QuantParams params, int pitch, boolean right, Output.Codes sum) {

    /** Checks that the parts are there. */
    public Residual {
        Objects.requireNonNull(params, "params");
        Objects.requireNonNull(sum, "sum");
    }
}
