// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectStreamException;
import java.io.Serializable;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.shade.jackson.core.JsonProcessingException;

/**
 * What Java's serialization writes for a layer's configuration, and Spark sends to its workers with
 * it: the JSON of the model file.
 *
 * @param json of the layer, with its class
 */
record SerializedLayer(String json) implements Serializable {

    /** Returns the form of a layer. */
    static SerializedLayer of(QuantizedLayer layer) {
        try {
            return new SerializedLayer(
                    NeuralNetConfiguration.mapper()
                            .writerFor(Layer.class)
                            .writeValueAsString(layer));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(
                    "layer '" + layer.getLayerName() + "' cannot be written as JSON", e);
        }
    }

    private Object readResolve() throws ObjectStreamException {
        try {
            return NeuralNetConfiguration.mapper().readValue(json, Layer.class);
        } catch (IOException e) {
            InvalidObjectException damaged =
                    new InvalidObjectException("a quantized layer cannot be read: " + e);
            damaged.initCause(e);
            throw damaged;
        }
    }
}
