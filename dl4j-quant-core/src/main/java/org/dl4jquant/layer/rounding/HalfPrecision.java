// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import org.dl4jquant.fakequant.HalfRounder;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Rounds to IEEE 754 binary16 and back; gradients pass unchanged. */
final class HalfPrecision implements ValueRounder {

    @Override
    public void forward(INDArray in, INDArray out) {
        HalfRounder.forward(in, out);
    }

    @Override
    public void backward(INDArray in, INDArray upstream, INDArray gradient) {
        if (gradient != upstream) {
            gradient.assign(upstream);
        }
    }

    /** There may be scales of an integer format that is not in force; they do not learn now. */
    @Override
    public void setScaleGradients(INDArray view) {}
}
