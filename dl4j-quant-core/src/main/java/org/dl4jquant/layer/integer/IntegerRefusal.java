// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A step of a network cannot become integers. Lowering catches it, and names the step in the
 * message that the user gets.
 */
public final class IntegerRefusal extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String reason;
    private final String remedy;
    private final @Nullable String step;

    /**
     * Refuses the step whose form is asked for nodes.
     *
     * @param reason the obstacle
     * @param remedy the advice
     */
    public IntegerRefusal(String reason, String remedy) {
        this(null, reason, remedy);
    }

    private IntegerRefusal(@Nullable String step, String reason, String remedy) {
        super(reason + "; " + remedy);
        this.step = step;
        this.reason = reason;
        this.remedy = remedy;
    }

    /**
     * Returns the refusal of another step, such as the one that made an input.
     *
     * @param step its name
     * @param reason the obstacle
     * @param remedy the advice
     * @return the refusal
     */
    public static IntegerRefusal of(String step, String reason, String remedy) {
        return new IntegerRefusal(step, reason, remedy);
    }

    /** {@return the step at fault; empty if it is the one whose form was asked for nodes} */
    public Optional<String> step() {
        return Optional.ofNullable(step);
    }

    /** {@return the obstacle} */
    public String reason() {
        return reason;
    }

    /** {@return the advice} */
    public String remedy() {
        return remedy;
    }
}
