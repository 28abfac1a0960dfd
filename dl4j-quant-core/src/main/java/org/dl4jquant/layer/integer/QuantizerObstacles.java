// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.Fp16Format;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.TensorScheme;

/** The quantizers of a layer that are an obstacle to integers, whatever the layer's kind. */
public final class QuantizerObstacles {

    private QuantizerObstacles() {}

    /**
     * Returns the first obstacle.
     *
     * @param name the layer's name
     * @param quantizers its quantizers
     * @return the obstacle; empty if there is none
     */
    public static Optional<IntegerSupport.Refusal> of(String name, LayerQuantizers quantizers) {
        Require.given(name, "name");
        Require.given(quantizers, "quantizers");
        return halfPrecision(name, quantizers).or(() -> groupedScales(quantizers));
    }

    private static Optional<IntegerSupport.Refusal> halfPrecision(
            String name, LayerQuantizers quantizers) {
        TensorScheme weights = quantizers.weights();
        ActivationScheme result = quantizers.result();
        boolean half =
                (weights != null && weights.format() instanceof Fp16Format)
                        || (result != null && !result.isInteger());
        return half
                ? Optional.of(
                        IntegerSupport.refused(
                                "it is in half precision, and the integer graph has integers only",
                                "prepare the float network with 16 bits for it, such as"
                                        + " spec.with(LayerSelector.named(\""
                                        + name
                                        + "\"), LayerScheme.INT16), as LayerSensitivity.protect"
                                        + " does"))
                : Optional.empty();
    }

    private static Optional<IntegerSupport.Refusal> groupedScales(LayerQuantizers quantizers) {
        TensorScheme weights = quantizers.weights();
        return weights != null
                        && weights.estimator() instanceof Estimator.DoReFa
                        && weights.granularity() instanceof Granularity.PerGroup group
                ? Optional.of(
                        IntegerSupport.refused(
                                "its weights have DoReFa's form and scales of groups of "
                                        + group.size()
                                        + " inputs",
                                "prepare it with Granularity.PER_CHANNEL, or with Estimator.LSQ"))
                : Optional.empty();
    }
}
