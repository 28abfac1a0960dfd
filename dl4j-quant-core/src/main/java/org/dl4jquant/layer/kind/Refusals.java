// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.integer.IntegerSupport;

/** The words for kinds without an integer form. */
final class Refusals {

    private Refusals() {}

    /**
     * {@return the refusal of a configuration by its type}
     *
     * @param configuration the configuration
     * @param option the option that has no form, such as " with Max"; empty if all have none
     */
    static IntegerSupport of(Object configuration, String option) {
        String type = configuration.getClass().getSimpleName();
        if (configuration instanceof InputPreProcessor) {
            return IntegerSupport.refused(
                    "there is no integer form of preprocessor " + type,
                    "preprocessors that lower are "
                            + String.join(", ", LayerKinds.lowering(InputPreProcessor.class)));
        }
        String reason = "there is no integer form of type " + type + option;
        return configuration instanceof GraphVertex
                ? IntegerSupport.refused(
                        reason,
                        "vertices that lower are LayerVertex, "
                                + String.join(", ", LayerKinds.lowering(GraphVertex.class)))
                : IntegerSupport.refused(reason, layersThatLower());
    }

    /**
     * {@return the refusal of a layer that others can take the place of}
     *
     * @param configuration the layer's configuration
     * @param remedy the layer to put in its place
     */
    static IntegerSupport instead(Object configuration, String remedy) {
        return IntegerSupport.refused(
                "there is no integer form of type " + configuration.getClass().getSimpleName(),
                remedy + "; " + layersThatLower());
    }

    /**
     * {@return the refusal of a kind for a reason of its own}
     *
     * @param reason why it has no integer form
     * @param remedy the layer to put in its place
     */
    static IntegerSupport because(String reason, String remedy) {
        return IntegerSupport.refused(reason, remedy + "; " + layersThatLower());
    }

    private static String layersThatLower() {
        return "layers that lower are " + String.join(", ", LayerKinds.lowering(Layer.class));
    }
}
