// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.IntegerSupport.Refusal;
import org.dl4jquant.layer.integer.QuantizerObstacles;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.scheme.Precision;

/** The obstacles that a layer's quantizers and parameters are, whatever its kind. */
final class QuantizerChecks {

    private QuantizerChecks() {}

    /**
     * {@return the first obstacle of a quantized layer; empty if there is none}
     *
     * @param name its name
     * @param layer the running layer
     * @param conf its configuration
     */
    static Optional<Refusal> obstacle(String name, Layer layer, QuantizedLayer conf) {
        return lostParameter(layer)
                .or(() -> floatStage(conf))
                .or(() -> QuantizerObstacles.of(name, conf.quantizers()));
    }

    private static Optional<Refusal> lostParameter(Layer layer) {
        return Optional.ofNullable(NonFinite.firstName(layer.paramTable()))
                .map(
                        lost ->
                                IntegerSupport.refused(
                                        "its parameter \"" + lost + "\" is NaN or infinite",
                                        "training has diverged: go back to the last good"
                                                + " checkpoint, and lower the learning rate or clip"
                                                + " the gradients"));
    }

    private static Optional<Refusal> floatStage(QuantizedLayer conf) {
        Precision precision = conf.precision();
        return precision == null || precision.isInteger()
                ? Optional.empty()
                : Optional.of(
                        IntegerSupport.refused(
                                "its training is in a stage of " + precision,
                                "train on until a stage of integers has begun, or end the schedule"
                                        + " with PrecisionSchedule.finish(network)"));
    }
}
