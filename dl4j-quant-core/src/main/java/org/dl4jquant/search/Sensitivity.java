// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.List;

/** Measures how much each layer of a network suffers from each width. */
public interface Sensitivity {

    /**
     * {@return the scores of every layer that has weights to quantize}
     *
     * @param network the network with its data; not changed
     * @param widths bits, each 2 to 8
     * @throws IllegalArgumentException if there is no width, one is not 2 to 8, or is there twice
     */
    Sensitivities measure(SearchedNetwork network, List<Integer> widths);
}
