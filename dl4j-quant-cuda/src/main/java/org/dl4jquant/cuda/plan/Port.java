// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.TensorType;

/**
 * A tensor that enters or leaves a plan, in the graph's own order without padding: float32 values,
 * or one byte for each code.
 *
 * @param name the graph's node
 * @param type shape and scale
 * @param place bytes from the arena's begin for each example of the batch
 * @param rows for an input of indices, how many rows they choose from; 0 for other tensors
 */
public record Port(String name, TensorType type, long place, int rows) {

    /** Checks that there is a type. */
    public Port {
        Objects.requireNonNull(type, "type");
        Require.argument(rows >= 0, "port '%s' has %d rows", name, rows);
    }

    /**
     * A tensor that is not made of indices.
     *
     * @param name as above
     * @param type as above
     * @param place as above
     */
    public Port(String name, TensorType type, long place) {
        this(name, type, place, 0);
    }

    /**
     * {@return how many rows each input of indices chooses from, by name}
     *
     * @param inputs all inputs
     */
    public static Map<String, Integer> indexLimits(List<Port> inputs) {
        return inputs.stream()
                .filter(port -> port.rows() > 0)
                .collect(Collectors.toMap(Port::name, Port::rows));
    }

    /** {@return bytes of one example} */
    public long bytes() {
        return bytes(type);
    }

    static long bytes(TensorType type) {
        return (long) type.shape().elements() * (type.isCodes() ? 1 : Float.BYTES);
    }
}
