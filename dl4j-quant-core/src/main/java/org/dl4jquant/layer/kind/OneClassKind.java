// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.dl4jquant.layer.integer.IntegerSupport;

/** The score of a one-class network: two products without biases, with a function in between. */
record OneClassKind(OCNNOutputLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.UNKNOWN;
    }

    /* Its loss reads the layer's own parameters and examples, so that rounding them, and the result
     * of the product inside, is no matter of a quantizer around the layer. */
    @Override
    public IntegerSupport integers() {
        return Refusals.because(
                "an OCNNOutputLayer is two products in one layer, and no quantizer stands between"
                        + " them",
                "once it is trained, put a DenseLayer with its weights \"v\" and its function, and"
                        + " an OutputLayer with its weights \"w\", both without biases, in its"
                        + " place: they compute the same score");
    }
}
