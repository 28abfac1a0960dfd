// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * What a selector may know of a layer.
 *
 * @param name the layer's name in the network
 * @param type the simple name of the layer's configuration class, such as {@code DenseLayer}
 * @param index its place among the network's quantizable layers, in the order of the forward pass
 * @param count how many quantizable layers the network has
 */
public record LayerPosition(String name, String type, int index, int count) {

    /** Checks that the index lies among the layers. */
    public LayerPosition {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        Require.argument(
                index >= 0 && index < count,
                "layer '%s' has index %d of %d layers",
                name,
                index,
                count);
    }
}
