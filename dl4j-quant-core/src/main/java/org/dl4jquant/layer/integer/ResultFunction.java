// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.nd4j.linalg.activations.IActivation;

/**
 * An activation function that stands for one of DL4J's in a network's last layers: the same in
 * training, and in inference the definition that engines apply.
 */
public interface ResultFunction {

    /** {@return DL4J's function} */
    IActivation function();
}
