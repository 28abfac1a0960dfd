// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.scale;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.WeightSlot;

/**
 * A parameter that quantizers add to a layer: scales or a zero point.
 *
 * @param name its name
 * @param length how many numbers it holds
 */
public record ScaleParameter(String name, long length) {

    /** Checks that it has a name. */
    public ScaleParameter {
        Objects.requireNonNull(name, "name");
    }

    /**
     * {@return a layer's parameters of this kind, in the order of model files: those of its
     * weights, then those of its activations}
     *
     * @param slots its weights that have scales
     * @param prepared the quantizers that the layer was prepared for
     */
    public static List<ScaleParameter> of(List<WeightSlot> slots, LayerQuantizers prepared) {
        List<ScaleParameter> all = new ArrayList<>();
        for (WeightSlot slot : Require.given(slots, "slots")) {
            all.add(new ScaleParameter(slot.scaleKey(), slot.scales()));
        }
        Require.given(prepared, "prepared")
                .tensors()
                .forEach(
                        (role, scheme) -> {
                            if (scheme.hasScale()) {
                                all.add(new ScaleParameter(role.scaleKey(), 1));
                            }
                            if (scheme.hasZeroPoint()) {
                                all.add(new ScaleParameter(role.zeroKey(), 1));
                            }
                        });
        return all;
    }
}
