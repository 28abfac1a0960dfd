// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.scheme.QuantSpec;

/**
 * A candidate of a search and its outcome.
 *
 * @param spec the candidate
 * @param outcome its outcome
 * @param network the file of its trained network, a DL4J model; empty if it was not trained
 */
public record SearchResult(QuantSpec spec, Outcome outcome, Optional<Path> network) {

    /** Checks that the parts are there. */
    public SearchResult {
        Objects.requireNonNull(spec, "spec");
        Objects.requireNonNull(outcome, "outcome");
    }
}
