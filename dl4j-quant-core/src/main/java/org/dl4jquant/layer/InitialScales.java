// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Map;
import java.util.Objects;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The scales of a layer that nothing has calibrated: a network built from its configuration trains
 * from here, and {@code prepare} puts fitted ones in their place.
 */
final class InitialScales {

    /* Activations after normalized layers and standardized inputs seldom leave [-4, 4]. */
    private static final double LARGEST_ACTIVATION = 4;

    private InitialScales() {}

    static void assign(QuantizedLayer layer, Map<String, INDArray> table) {
        for (WeightSlot slot : layer.weightSlots()) {
            INDArray weight = table.get(slot.key());
            INDArray scales = table.get(slot.scaleKey());
            if (weight != null && scales != null) {
                assignWeight(layer, weight, scales);
            }
        }
        LayerQuantizers quantizers = layer.preparedQuantizers();
        quantizers
                .tensors()
                .forEach((role, scheme) -> assignActivation(scheme, table.get(role.scaleKey())));
    }

    /** The largest magnitude of the whole weight becomes the largest code. */
    private static void assignWeight(QuantizedLayer layer, INDArray weight, INDArray scales) {
        double largest = weight.amaxNumber().doubleValue();
        int bits =
                Objects.requireNonNull(layer.preparedQuantizers().weights())
                        .format()
                        .bitsPerNumber();
        int maxCode = (1 << (bits - 1)) - 1;
        boolean unit = hasUnitRange(layer.preparedQuantizers().weights());
        double reach = largest > 0 && !unit ? largest : 1;
        scales.assign(reach / maxCode);
    }

    private static void assignActivation(ActivationScheme scheme, @Nullable INDArray scale) {
        if (scale != null) {
            double reach = hasUnitRange(scheme.scheme()) ? 1 : LARGEST_ACTIVATION;
            scale.assign(reach / scheme.range().max());
        }
    }

    private static boolean hasUnitRange(@Nullable TensorScheme scheme) {
        return scheme != null
                && scheme.estimator() instanceof Estimator.DoReFa doReFa
                && !doReFa.fitted();
    }
}
