// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.Objects;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;

/**
 * Where a result lies while a plan is made.
 *
 * <p>A reshape moves nothing: its result is the same bytes, whose layout then has another shape
 * than its type. The elements of both, counted by channel, row and column, are in the same order.
 *
 * @param type what the graph says
 * @param buffer the memory that it lies in
 * @param slice bytes from the begin of the buffer
 * @param layout how codes lie there; null for float32 values, which lie in the graph's order
 */
record Tensor(TensorType type, String buffer, long slice, @Nullable ImageLayout layout) {

    /** {@return how its codes lie} */
    ImageLayout image() {
        return Objects.requireNonNull(layout, "float32 values have no layout");
    }

    /** {@return the scale and the zero point of its codes} */
    QuantParams codes() {
        return type.codes();
    }

    /** {@return the same bytes as another result} */
    Tensor as(TensorType other) {
        return new Tensor(other, buffer, slice, layout);
    }

    /**
     * {@return the layout in which kernels that know rows and columns expect a result; all
     * dimensions after the second count as columns}
     */
    static ImageLayout natural(TensorType type) {
        int channels = type.shape().size(0);
        int height = type.shape().rank() > 1 ? type.shape().size(1) : 1;
        int width = type.shape().elements() / channels / height;
        return new ImageLayout(channels, height, width, ImageLayout.padded(channels));
    }
}
