// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.Objects;
import org.dl4jquant.graph.node.TensorType;

/**
 * A tensor that enters or leaves a plan, in the graph's own order without padding: float32 values,
 * or one byte for each code.
 *
 * @param name the graph's node
 * @param type shape and scale
 * @param place bytes from the arena's begin for each example of the batch
 */
public record Port(String name, TensorType type, long place) {

    /** Checks that there is a type. */
    public Port {
        Objects.requireNonNull(type, "type");
    }

    /** {@return bytes of one example} */
    public long bytes() {
        return bytes(type);
    }

    static long bytes(TensorType type) {
        return (long) type.shape().elements() * (type.isCodes() ? 1 : Float.BYTES);
    }
}
