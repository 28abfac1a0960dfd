// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Sees, unrounded, the tensors that a layer would round: for calibration. */
@FunctionalInterface
public interface TensorObserver {

    /**
     * Sees one batch of a tensor.
     *
     * @param role which tensor of the layer
     * @param values its values in float; valid during the call only
     */
    void observe(TensorRole role, INDArray values);
}
