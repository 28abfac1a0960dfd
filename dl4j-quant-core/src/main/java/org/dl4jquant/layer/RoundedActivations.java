// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Lists the activations of a running layer as their quantizers see them.
 *
 * @param rounders their rounders
 * @param list the list that they are added to; activations without a rounder are not
 */
record RoundedActivations(Map<TensorRole, ValueRounder> rounders, List<QuantizedTensor> list) {

    /** Adds a tensor. */
    void add(TensorRole role, @Nullable INDArray values) {
        add(role, values, false);
    }

    /** Adds the layer's result; its quantizer may stand for a ReLU too. */
    void addOutput(@Nullable INDArray values, boolean zeroBelow) {
        add(TensorRole.OUTPUT, values, zeroBelow);
    }

    private void add(TensorRole role, @Nullable INDArray values, boolean zeroBelow) {
        ValueRounder rounder = rounders.get(role);
        if (rounder != null && values != null) {
            String name = role.name().toLowerCase(Locale.ROOT).replace('_', '-');
            list.add(
                    new QuantizedTensor(
                            name, false, values, rounder.grid(role.scaleKey()), zeroBelow));
        }
    }
}
