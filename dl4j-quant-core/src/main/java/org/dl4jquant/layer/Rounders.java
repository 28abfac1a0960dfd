// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.layer.rounding.ShadowWeights;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.dl4jquant.layer.scale.ScaleLinks;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What rounds a running layer's tensors and computes with them, at the precision in force; made
 * anew when that changes.
 *
 * @param tensors the rounders of its activations
 * @param weights the rounder of its weights
 * @param simulation the layer in float arithmetic on rounded values
 */
record Rounders(
        Map<TensorRole, ValueRounder> tensors, ShadowWeights weights, Simulation simulation) {

    /**
     * Makes them.
     *
     * @param layer the layer's configuration
     * @param inner the running underlying layer
     * @param table the layer's parameters by name
     * @param normalization the batch normalization that belongs to it; null if there is none
     */
    static Rounders of(
            QuantizedLayer layer,
            Layer inner,
            Map<String, INDArray> table,
            @Nullable NormalizationStep normalization) {
        Map<TensorRole, ValueRounder> tensors = new EnumMap<>(TensorRole.class);
        for (TensorRole role : TensorRole.values()) {
            ValueRounder rounder = rounder(layer, role, table);
            if (rounder != null) {
                tensors.put(role, rounder);
            }
        }
        Map<String, INDArray> shadows = inner.paramTable();
        ShadowWeights weights =
                new ShadowWeights(
                        String.valueOf(layer.getLayerName()),
                        layer.quantizers().weights(),
                        QuantizedParameters.roundedWeights(layer, shadows),
                        layer.weightSlots(),
                        table,
                        shadows);
        publishResult(layer, table, tensors);
        return new Rounders(
                tensors, weights, new Simulation(layer, inner, weights, normalization, tensors));
    }

    private static @Nullable ValueRounder rounder(
            QuantizedLayer layer, TensorRole role, Map<String, INDArray> table) {
        return ValueRounder.ofActivation(
                String.valueOf(layer.getLayerName()),
                role.name().toLowerCase(Locale.ROOT),
                layer.quantizers().scheme(role),
                table,
                role.scaleKey(),
                role.zeroKey(),
                LayerKinds.of(layer.getUnderlying()).rowAxis());
    }

    private static void publishResult(
            QuantizedLayer layer,
            Map<String, INDArray> table,
            Map<TensorRole, ValueRounder> tensors) {
        TensorRole role = layer.preparedQuantizers().resultRole();
        INDArray scale = role == null ? null : table.get(role.scaleKey());
        if (role != null && scale != null) {
            ScaleLinks.publish(
                    layer.outputName(),
                    scale,
                    table.get(role.zeroKey()),
                    tensors.get(role) instanceof CodeRounder codes ? codes.range() : null);
        }
    }

    /** {@return how a tensor's codes stand for values, now; null if it holds none} */
    @Nullable QuantParams params(TensorRole role) {
        return tensors.get(role) instanceof CodeRounder codes ? codes.params() : null;
    }

    /** Raises scales that an update has made useless. */
    void raiseUseless() {
        weights.raiseUselessScales();
        tensors.values().forEach(ValueRounder::raiseUseless);
    }
}
