// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.attention;

import java.util.Map;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.TensorObserver;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How an attention rounds the factors of its inner products. */
public final class AttentionRounding {

    /** Lets all factors pass as they are. */
    static final AttentionRounding IN_FLOAT = new AttentionRounding(Map.of(), () -> null);

    private final Map<TensorRole, ValueRounder> rounders;
    private final Supplier<@Nullable TensorObserver> observer;

    private AttentionRounding(
            Map<TensorRole, ValueRounder> rounders, Supplier<@Nullable TensorObserver> observer) {
        this.rounders = rounders;
        this.observer = observer;
    }

    /**
     * Gives an attention its rounders; does nothing to other layers.
     *
     * @param inner the running layer
     * @param rounders the quantized layer's rounders
     * @param observer the observer that receives the factors in float instead; it supplies null
     *     while they are rounded
     */
    public static void connect(
            Layer inner,
            Map<TensorRole, ValueRounder> rounders,
            Supplier<@Nullable TensorObserver> observer) {
        Require.given(inner, "inner");
        Require.given(rounders, "rounders");
        Require.given(observer, "observer");
        if (inner instanceof RoundedAttention attention) {
            attention.setRounding(new AttentionRounding(rounders, observer));
        }
    }

    /**
     * {@return an attention's factors before they were rounded, one example after the other along
     * dimension 0; none outside of a training, and of other layers}
     *
     * @param inner the running layer
     */
    public static Map<TensorRole, INDArray> raw(Layer inner) {
        Require.given(inner, "inner");
        return inner instanceof RoundedAttention attention ? attention.rawFactors() : Map.of();
    }

    /**
     * {@return the values that the products read: new ones, or the same array in float}
     *
     * @param role which factor it is
     * @param raw the computed values, one example after the other along dimension 0
     */
    INDArray forward(TensorRole role, INDArray raw) {
        TensorObserver watching = observer.get();
        if (watching != null) {
            watching.observe(role, raw);
            return raw;
        }
        ValueRounder rounder = rounders.get(role);
        if (rounder == null) {
            return raw;
        }
        INDArray rounded = Nd4j.createUninitialized(raw.dataType(), raw.shape(), 'c');
        rounder.forward(raw, rounded);
        return rounded;
    }

    /**
     * Sends the gradient back through the rounding, and writes the scale's.
     *
     * @param role which factor it is
     * @param raw the values before rounding
     * @param upstream loss per unit of the rounded values; may be overwritten
     * @return loss per unit of {@code raw}
     */
    INDArray backward(TensorRole role, INDArray raw, INDArray upstream) {
        ValueRounder rounder = rounders.get(role);
        if (rounder == null) {
            return upstream;
        }
        INDArray gradient = Nd4j.createUninitialized(raw.dataType(), raw.shape(), 'c');
        rounder.backward(raw, upstream, gradient);
        return gradient;
    }
}
