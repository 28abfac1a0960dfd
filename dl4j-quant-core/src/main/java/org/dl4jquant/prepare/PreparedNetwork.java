// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Objects;

/**
 * A network with quantizers, and the outcome for each of its layers.
 *
 * @param network the prepared network, ready to train by plain {@code fit}
 * @param report the outcome for each layer
 * @param <N> the kind of network
 */
public record PreparedNetwork<N>(N network, PrepareReport report) {

    /** Checks that both parts are there. */
    public PreparedNetwork {
        Objects.requireNonNull(network, "network");
        Objects.requireNonNull(report, "report");
    }
}
