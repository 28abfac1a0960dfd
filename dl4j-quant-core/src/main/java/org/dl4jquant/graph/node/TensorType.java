// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;

/**
 * What a tensor of the graph holds.
 *
 * @param shape one example's dimensions
 * @param params how its codes stand for values; null for a tensor of float32 values
 * @param timeAxis the dimension whose size is free: the steps of sequences, of which the shape has
 *     an example's; {@link #NO_TIME} if all sizes are fixed
 */
public record TensorType(Shape shape, @Nullable QuantParams params, int timeAxis) {

    /** In the place of a dimension: there is none. */
    public static final int NO_TIME = -1;

    /** The most elements of one example that a node's result may have. */
    public static final int MAX_ELEMENTS = 1 << 28;

    /** Checks that there is a shape, with this dimension. */
    public TensorType {
        Objects.requireNonNull(shape, "shape");
        Require.argument(
                timeAxis >= NO_TIME && timeAxis < shape.rank(),
                "%s has no dimension %d for the steps",
                shape,
                timeAxis);
    }

    /**
     * Takes a tensor all of whose sizes are fixed.
     *
     * @param shape one example's dimensions
     * @param params how its codes stand for values; null for a tensor of float32 values
     */
    public TensorType(Shape shape, @Nullable QuantParams params) {
        this(shape, params, NO_TIME);
    }

    /** {@return whether the number of steps is free} */
    public boolean hasFreeSteps() {
        return timeAxis != NO_TIME;
    }

    /** {@return whether the tensor holds codes, not float32 values} */
    public boolean isCodes() {
        return params != null;
    }

    /**
     * {@return how the codes stand for values}
     *
     * @throws IllegalStateException if the tensor holds float32 values
     */
    public QuantParams codes() {
        Require.state(params != null, "the tensor holds float32 values, not codes");
        return Objects.requireNonNull(params);
    }
}
