// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.List;

/**
 * How long a GPU takes, without copies to and from the host; medians.
 *
 * @param micros microseconds of a whole batch, by replays of a CUDA graph
 * @param stepMicros microseconds of each launch alone, which include what a launch costs
 */
public record Times(double micros, List<Double> stepMicros) {

    /** Copies the list. */
    public Times {
        stepMicros = List.copyOf(stepMicros);
    }
}
