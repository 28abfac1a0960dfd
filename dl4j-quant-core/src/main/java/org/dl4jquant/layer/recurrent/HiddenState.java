// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.TensorObserver;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.layer.rounding.ValueRounder;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** How one recurrence rounds its hidden state before the next step reads it. */
public final class HiddenState {

    /** Lets the state pass as it is. */
    static final HiddenState IN_FLOAT = new HiddenState(TensorRole.HIDDEN, null, () -> null);

    private final TensorRole role;
    private final @Nullable ValueRounder rounder;
    private final Supplier<@Nullable TensorObserver> observer;

    private HiddenState(
            TensorRole role,
            @Nullable ValueRounder rounder,
            Supplier<@Nullable TensorObserver> observer) {
        this.role = role;
        this.rounder = rounder;
        this.observer = observer;
    }

    /**
     * Gives each recurrence inside a layer its rounder.
     *
     * @param inner the running layer
     * @param rounders the quantized layer's rounders
     * @param observer the observer that receives the states in float instead; it supplies null
     *     while they are rounded
     */
    public static void connect(
            Layer inner,
            Map<TensorRole, ValueRounder> rounders,
            Supplier<@Nullable TensorObserver> observer) {
        Require.given(inner, "inner");
        Require.given(rounders, "rounders");
        Require.given(observer, "observer");
        connect(inner, TensorRole.HIDDEN, rounders, observer);
    }

    private static void connect(
            Layer inner,
            TensorRole role,
            Map<TensorRole, ValueRounder> rounders,
            Supplier<@Nullable TensorObserver> observer) {
        if (inner instanceof RoundedRecurrent recurrent) {
            recurrent.setHiddenState(new HiddenState(role, rounders.get(role), observer));
        } else if (inner instanceof RoundedBidirectional both) {
            connect(both.forwards(), role, rounders, observer);
            connect(both.backwards(), TensorRole.HIDDEN_BACKWARD, rounders, observer);
        } else if (inner instanceof BaseWrapperLayer wrapper) {
            connect(wrapper.getUnderlying(), role, rounders, observer);
        }
    }

    /**
     * {@return the states of all steps before they were rounded, [m, n, T], in the network's
     * floating-point type, of each recurrence inside a layer; none outside of a training}
     *
     * @param inner the running layer
     */
    public static Map<TensorRole, INDArray> raw(Layer inner) {
        Require.given(inner, "inner");
        Map<TensorRole, INDArray> states = new EnumMap<>(TensorRole.class);
        addRaw(inner, TensorRole.HIDDEN, states);
        return states;
    }

    private static void addRaw(Layer inner, TensorRole role, Map<TensorRole, INDArray> states) {
        if (inner instanceof RoundedRecurrent recurrent) {
            INDArray raw = recurrent.rawStates();
            if (raw != null) {
                states.put(role, raw);
            }
        } else if (inner instanceof RoundedBidirectional both) {
            addRaw(both.forwards(), role, states);
            addRaw(both.backwards(), TensorRole.HIDDEN_BACKWARD, states);
        } else if (inner instanceof BaseWrapperLayer wrapper) {
            addRaw(wrapper.getUnderlying(), role, states);
        }
    }

    /** {@return whether a rounder stands between one step and the next} */
    boolean rounds() {
        return rounder != null;
    }

    /** {@return how codes of the state stand for values, now; null if no codes are made of it} */
    @Nullable QuantParams codes() {
        return rounder instanceof CodeRounder toCodes && observer.get() == null
                ? toCodes.params()
                : null;
    }

    /**
     * Writes the state that the next step reads.
     *
     * @param raw the result of the recurrence
     * @param result where it goes, perhaps the same array
     */
    void forward(INDArray raw, INDArray result) {
        TensorObserver watching = observer.get();
        if (rounder != null && watching == null) {
            rounder.forward(raw, result);
            return;
        }
        if (watching != null) {
            watching.observe(role, raw);
        }
        if (raw != result) {
            result.assign(raw);
        }
    }

    /**
     * Sends the gradient back through the rounding, and writes the scale's for these values alone.
     *
     * @param raw the values before rounding
     * @param upstream loss per unit of the rounded state
     * @param gradient where the loss per unit of {@code raw} goes
     */
    void backward(INDArray raw, INDArray upstream, INDArray gradient) {
        Objects.requireNonNull(rounder, "nothing rounds the state")
                .backward(raw, upstream, gradient);
    }

    /**
     * Writes the scale's gradient for all steps together: LSQ's gradient scale counts all elements
     * that share a scale. Does nothing without a rounder.
     *
     * @param raw the values before rounding, [m, n, T]
     * @param upstream loss per unit of the rounded states, which is overwritten
     */
    void backwardOfAllSteps(INDArray raw, INDArray upstream) {
        if (rounds()) {
            backward(raw, upstream, upstream);
        }
    }
}
