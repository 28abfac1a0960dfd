// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import org.dl4jquant.check.Require;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.nd4j.shade.jackson.databind.annotation.JsonSerialize;

/**
 * Which numbers of a tensor share one scale.
 *
 * <p>In JSON, {@code "PER_TENSOR"}, {@code "PER_CHANNEL"}, {@code "PER_ROW"}, or an object {@code
 * {"type": "per-group", "size": 32}}.
 */
@JsonSerialize(using = GranularityJson.Writer.class)
@JsonDeserialize(using = GranularityJson.Reader.class)
public sealed interface Granularity {

    /** All of them: one scale. */
    Granularity PER_TENSOR = new Plain("PER_TENSOR");

    /** Those of one output channel: as many scales as the layer has output channels. */
    Granularity PER_CHANNEL = new Plain("PER_CHANNEL");

    /**
     * Those of one row of an activation: one example, or one step of a sequence. Only scales that
     * are found at run time can be as many ({@link TensorScheme#dynamic}).
     */
    Granularity PER_ROW = new Plain("PER_ROW");

    /** A granularity without settings; {@link Granularity} has a constant for each. */
    final class Plain implements Granularity {

        private final String name;

        private Plain(String name) {
            this.name = name;
        }

        /** {@return the name of the constant} */
        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * Those of one output channel and of a run of its inputs: for a weight [out, in, ...], {@code
     * out * in / size} scales. They are whole multiples of one scale of the output channel, up to
     * 127 / largest code: of use for weights of 2 to 5 bits; with 8 bits a channel's groups have
     * one scale.
     *
     * @param size how many inputs share a scale, at least 1; it must divide the inputs of each
     *     layer
     */
    record PerGroup(int size) implements Granularity {
        /** Checks the size. */
        public PerGroup {
            Require.argument(size >= 1, "a group of %d inputs: the size must be at least 1", size);
        }
    }
}
