// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.io.Serializable;
import org.dl4jquant.scheme.QuantSpec;

/**
 * Finds out what a candidate is worth. It is called by several threads at once, and is sent to
 * other machines as a serialized object.
 */
public interface Trial extends Serializable {

    /**
     * {@return what became of the candidate, and its network}
     *
     * @param spec the candidate
     * @param limits a candidate over them need not be trained
     * @throws Exception if the candidate cannot be measured; the search records it as failed
     */
    Finished run(QuantSpec spec, Limits limits) throws Exception;

    /**
     * {@return what else a result depends on than spec and limits: network, data, epochs; results
     * of another description are not mixed with these}
     */
    String description();

    /**
     * A trial's end.
     *
     * @param outcome what became of the candidate
     * @param network the trained network as a DL4J model file; empty without one
     */
    record Finished(Outcome outcome, byte[] network) implements Serializable {}
}
