// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.scale;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
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
public final class InitialScales {

    /* Activations after normalized layers and standardized inputs seldom leave [-4, 4]. */
    private static final double LARGEST_ACTIVATION = 4;

    private InitialScales() {}

    /**
     * Writes the scales of weights and activations; zero points stay.
     *
     * @param slots the weights that have scales
     * @param prepared the quantizers that the layer was prepared for
     * @param table the layer's parameters by name, views that are written to
     */
    public static void assign(
            List<WeightSlot> slots, LayerQuantizers prepared, Map<String, INDArray> table) {
        Require.given(prepared, "prepared");
        Require.given(table, "table");
        for (WeightSlot slot : Require.given(slots, "slots")) {
            INDArray weight = table.get(slot.key());
            INDArray scales = table.get(slot.scaleKey());
            if (weight != null && scales != null) {
                assignWeight(Objects.requireNonNull(prepared.weights()), weight, scales);
            }
        }
        prepared.tensors()
                .forEach((role, scheme) -> assignActivation(scheme, table.get(role.scaleKey())));
    }

    /** The largest magnitude of the whole weight becomes the largest code. */
    private static void assignWeight(TensorScheme scheme, INDArray weight, INDArray scales) {
        double largest = weight.amaxNumber().doubleValue();
        int maxCode = (1 << (scheme.format().bitsPerNumber() - 1)) - 1;
        double reach = largest > 0 && !hasUnitRange(scheme) ? largest : 1;
        scales.assign(reach / maxCode);
    }

    private static void assignActivation(ActivationScheme scheme, @Nullable INDArray scale) {
        if (scale != null) {
            double reach = hasUnitRange(scheme.scheme()) ? 1 : LARGEST_ACTIVATION;
            scale.assign(reach / scheme.range().max());
        }
    }

    private static boolean hasUnitRange(TensorScheme scheme) {
        return scheme.estimator() instanceof Estimator.DoReFa doReFa && !doReFa.fitted();
    }
}
