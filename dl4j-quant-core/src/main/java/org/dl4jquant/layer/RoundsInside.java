// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Map;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.layer.quantizers.TensorObserver;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A running layer that rounds a tensor inside, between two of its operations. */
interface RoundsInside {

    /**
     * Gives the layer the rounder of its tensor.
     *
     * @param rounders the quantized layer's rounders
     * @param observer the observer that receives the tensor in float instead; it supplies null
     *     while it is rounded
     */
    void connect(
            Map<TensorRole, ValueRounder> rounders, Supplier<@Nullable TensorObserver> observer);

    /** {@return the tensor before it was rounded; none outside of a training} */
    Map<TensorRole, INDArray> raw();

    /**
     * Connects a layer if it rounds inside.
     *
     * @param inner the running layer
     * @param rounders as {@link #connect(Map, Supplier)} takes them
     * @param observer as {@link #connect(Map, Supplier)} takes it
     */
    static void connect(
            Layer inner,
            Map<TensorRole, ValueRounder> rounders,
            Supplier<@Nullable TensorObserver> observer) {
        if (inner instanceof RoundsInside layer) {
            layer.connect(rounders, observer);
        }
    }

    /**
     * {@return the tensors of a layer before they were rounded}
     *
     * @param inner the running layer
     */
    static Map<TensorRole, INDArray> raw(Layer inner) {
        return inner instanceof RoundsInside layer ? layer.raw() : Map.of();
    }
}
