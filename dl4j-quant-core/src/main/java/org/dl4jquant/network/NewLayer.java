// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.Map;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;

/**
 * A layer that comes into a network by an edit.
 *
 * @param name its name, which no other step or input has
 * @param layer its configuration without wrappers that freeze it; not changed. An updater and a
 *     weight initialization that it lacks are those of the nearest layer before it that has some
 * @param parameters the origin of each of its parameters, by the parameter's name
 */
public record NewLayer(String name, Layer layer, Map<String, ParameterSource> parameters) {

    /** Checks and copies. */
    public NewLayer {
        Require.given(name, "name");
        Require.argument(
                !Frozen.is(Require.given(layer, "layer")),
                "layer '%s' comes with a wrapper that freezes it; give the layer inside",
                name);
        parameters = Map.copyOf(Require.given(parameters, "parameters"));
    }

    /**
     * Returns a layer without parameters.
     *
     * @param name its name
     * @param layer its configuration
     * @return the new layer
     */
    public static NewLayer of(String name, Layer layer) {
        return new NewLayer(name, layer, Map.of());
    }
}
