// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.layer.integer.ResultCodes;
import org.dl4jquant.layer.integer.WeightedForm;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * The integers of a layer with weights, as it is now.
 *
 * @param input how the codes of its input stand for values
 * @param inputShape one example of its input
 * @param weights its weights and its bias
 * @param result the codes of its result; null if it leaves as float32
 */
public record LayerIntegers(
        QuantParams input, Shape inputShape, WeightTensor weights, ResultCodes result) {

    /** {@return the integers of a layer; empty if it does not compute with weights in integers} */
    public static Optional<LayerIntegers> of(Layer layer) {
        return QuantizedLayers.integerForm(layer)
                .filter(WeightedForm.class::isInstance)
                .map(WeightedForm.class::cast)
                .filter(form -> form.obstacle() == null)
                .map(
                        form ->
                                new LayerIntegers(
                                        form.tensors().input(0),
                                        form.tensors().inputShape(),
                                        form.weights(),
                                        form.result()));
    }
}
