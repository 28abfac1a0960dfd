// SPDX-License-Identifier: Apache-2.0
package org.example;

import org.nd4j.linalg.activations.impl.ActivationReLU;

/** An activation function of a user's own. */
public final class OwnActivation extends ActivationReLU {}
