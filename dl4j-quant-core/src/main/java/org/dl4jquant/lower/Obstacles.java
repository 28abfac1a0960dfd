// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;
import org.dl4jquant.layer.integer.IntegerRefusal;
import org.dl4jquant.layer.integer.IntegerSupport.Refusal;
import org.jspecify.annotations.Nullable;

/** Everything that keeps a network from becoming integers, in the network's order. */
final class Obstacles {

    private final Set<String> found = new LinkedHashSet<>();
    private @Nullable Throwable cause;

    void add(String step, Refusal refusal) {
        add(step, refusal.reason(), refusal.remedy());
    }

    void add(String step, IntegerRefusal refusal) {
        add(refusal.step().orElse(step), refusal.reason(), refusal.remedy());
    }

    /**
     * Adds a step whose nodes do not fit together.
     *
     * @param step its name
     * @param unfit the obstacle
     */
    void add(String step, IllegalArgumentException unfit) {
        add(
                step,
                String.valueOf(unfit.getMessage()),
                "change the layer's options so that it fits its input");
        if (cause == null) {
            cause = unfit;
        }
    }

    void add(String step, String reason, String remedy) {
        found.add("layer '" + step + "' cannot be lowered to integers: " + reason + "; " + remedy);
    }

    /**
     * Ends the lowering if there are obstacles.
     *
     * @throws LoweringException with all of them
     */
    void requireNone() {
        if (!found.isEmpty()) {
            throw new LoweringException(new ArrayList<>(found), cause);
        }
    }

    /** {@return whether there are none} */
    boolean isEmpty() {
        return found.isEmpty();
    }
}
