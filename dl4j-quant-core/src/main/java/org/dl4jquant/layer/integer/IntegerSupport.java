// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.dl4jquant.check.Require;

/**
 * Whether a kind of layer, vertex or preprocessor becomes integers, from its configuration alone,
 * so that it is known before a network is prepared.
 */
public sealed interface IntegerSupport {

    /**
     * Returns the support of a kind whose form depends on the tensors of the running layer.
     *
     * @param form makes the form of a running layer
     * @return the support
     */
    static Supported of(Function<LayerTensors, IntegerForm> form) {
        return new Supported(Require.given(form, "form"), false);
    }

    /**
     * Returns the refusal of a kind.
     *
     * @param reason why the kind cannot become integers, such as "there is no integer form of ..."
     * @param remedy the change of the network that helps
     * @return the refusal
     */
    static Refusal refused(String reason, String remedy) {
        return new Refusal(Require.given(reason, "reason"), Require.given(remedy, "remedy"));
    }

    /**
     * {@return whether the form multiplies codes of 16 bits, too, and makes them where its function
     * is a clamp}
     */
    default boolean takesWideCodes() {
        return false;
    }

    /**
     * Makes the form of a running layer.
     *
     * @param tensors the layer's
     * @return the form; empty if the kind has none
     */
    Optional<IntegerForm> form(LayerTensors tensors);

    /** {@return the reason why the kind does not become nodes; empty if it does} */
    Optional<Refusal> refusal();

    /**
     * The kind becomes integers.
     *
     * @param maker makes the form of a running layer
     * @param takesWideCodes whether the form multiplies codes of 16 bits, too
     */
    record Supported(Function<LayerTensors, IntegerForm> maker, boolean takesWideCodes)
            implements IntegerSupport {
        /** Checks that there is a form. */
        public Supported {
            Objects.requireNonNull(maker, "maker");
        }

        @Override
        public Optional<IntegerForm> form(LayerTensors tensors) {
            return Optional.of(maker.apply(tensors));
        }

        @Override
        public Optional<Refusal> refusal() {
            return Optional.empty();
        }
    }

    /**
     * The kind cannot become integers.
     *
     * @param reason why, such as "there is no integer form of ..."
     * @param remedy the change of the network that helps
     */
    record Refusal(String reason, String remedy) implements IntegerSupport {
        /** Checks the texts. */
        public Refusal {
            Objects.requireNonNull(reason, "reason");
            Objects.requireNonNull(remedy, "remedy");
        }

        @Override
        public Optional<IntegerForm> form(LayerTensors tensors) {
            return Optional.empty();
        }

        @Override
        public Optional<Refusal> refusal() {
            return Optional.of(this);
        }

        /** {@return the same refusal as an exception} */
        public IntegerRefusal exception() {
            return new IntegerRefusal(reason, remedy);
        }
    }
}
