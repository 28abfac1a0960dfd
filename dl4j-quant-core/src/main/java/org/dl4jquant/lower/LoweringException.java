// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

/** A network cannot become an integer graph; the message names the layer and says what to do. */
public final class LoweringException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    LoweringException(String message) {
        super(message);
    }

    LoweringException(String layer, String found, String remedy) {
        super("layer '" + layer + "' cannot be lowered to integers: " + found + "; " + remedy);
    }

    LoweringException(String layer, String found, String remedy, Throwable cause) {
        super(
                "layer '" + layer + "' cannot be lowered to integers: " + found + "; " + remedy,
                cause);
    }
}
