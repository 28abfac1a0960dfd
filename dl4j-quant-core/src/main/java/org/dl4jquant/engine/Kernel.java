// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;

/** Computes the result of one node. */
interface Kernel {

    /**
     * {@return the node's result}
     *
     * @param inputs the results that the node reads, in its order, all of one size
     */
    Batch run(List<Batch> inputs);
}
