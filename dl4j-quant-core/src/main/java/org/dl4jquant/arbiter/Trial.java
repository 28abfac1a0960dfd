// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.io.Serializable;
import org.dl4jquant.scheme.QuantSpec;

/**
 * Measures a candidate. It is called by several threads at once, and is sent to other machines as a
 * serialized object.
 */
public interface Trial extends Serializable {

    /**
     * {@return the outcome of the candidate, and its network}
     *
     * @param spec the candidate
     * @param limits a candidate over them need not be trained
     * @throws Exception if the candidate cannot be measured; the search records it as failed
     */
    Finished run(QuantSpec spec, Limits limits) throws Exception;

    /**
     * {@return a description of all that a result depends on besides spec and limits: network,
     * data, epochs; results of another description are not mixed with these}
     */
    String description();

    /** A trial's end. */
    final class Finished implements Serializable {

        private static final long serialVersionUID = 1;

        private final Outcome outcome;
        private final byte[] network;

        /**
         * Makes the end of a trial.
         *
         * @param outcome the outcome of the candidate
         * @param network the trained network as a DL4J model file; empty without one
         */
        public Finished(Outcome outcome, byte[] network) {
            this.outcome = outcome;
            this.network = network.clone();
        }

        /** {@return the outcome of the candidate} */
        public Outcome outcome() {
            return outcome;
        }

        /** {@return the trained network as a DL4J model file; empty without one} */
        public byte[] network() {
            return network.clone();
        }
    }
}
