// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.IntegerSupport.Refusal;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.scheme.Fp16Format;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.TensorScheme;

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
                .or(() -> halfPrecision(name, conf))
                .or(() -> groupedScales(conf));
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

    private static Optional<Refusal> halfPrecision(String name, QuantizedLayer conf) {
        LayerQuantizers quantizers = conf.quantizers();
        TensorScheme weights = quantizers.weights();
        ActivationScheme result = quantizers.result();
        boolean half =
                (weights != null && weights.format() instanceof Fp16Format)
                        || (result != null && !result.isInteger());
        return half
                ? Optional.of(
                        IntegerSupport.refused(
                                "it is in half precision, as LayerSensitivity.protect(count) leaves"
                                        + " the layers that rounding harms most, and the integer"
                                        + " graph has integers only",
                                "prepare the float network with more bits for it, such as"
                                        + " spec.with(LayerSelector.named(\""
                                        + name
                                        + "\"), LayerScheme.INT8) or protect(count,"
                                        + " LayerScheme.INT8)"))
                : Optional.empty();
    }

    private static Optional<Refusal> groupedScales(QuantizedLayer conf) {
        TensorScheme weights = conf.quantizers().weights();
        return weights != null && weights.granularity() instanceof Granularity.PerGroup group
                ? Optional.of(
                        IntegerSupport.refused(
                                "its weights have a scale for each group of "
                                        + group.size()
                                        + " inputs, and the integer graph has one for each output"
                                        + " channel",
                                "prepare it with Granularity.PER_CHANNEL, or keep it out of the"
                                        + " deployed network"))
                : Optional.empty();
    }
}
