// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A network cannot become an integer graph; the message names each layer at fault and says what to
 * do.
 */
public final class LoweringException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    @SuppressWarnings("serial") // immutable lists are serializable
    private final List<String> obstacles;

    LoweringException(String message) {
        this(List.of(message), null);
    }

    /**
     * Takes all obstacles.
     *
     * @param obstacles one sentence for each, at least one
     * @param cause the first cause; null without one
     */
    LoweringException(List<String> obstacles, @Nullable Throwable cause) {
        super(message(obstacles), cause);
        this.obstacles = List.copyOf(obstacles);
    }

    private static String message(List<String> obstacles) {
        return obstacles.size() == 1
                ? obstacles.get(0)
                : "the network cannot be lowered to integers, for "
                        + obstacles.size()
                        + " reasons:\n- "
                        + String.join("\n- ", obstacles);
    }

    /** {@return everything that keeps the network from becoming integers, one sentence each} */
    public List<String> obstacles() {
        return obstacles;
    }
}
