// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;

/** The family of nodes that multiply codes by weights. */
public sealed interface Weighted extends IntNode permits Convolution, Dense {

    /** {@return the name of the codes that it reads} */
    String input();

    /** {@return its weights, [out, ...]} */
    WeightTensor weights();

    /** {@return the number of groups of channels that do not see each other} */
    int groups();

    /** {@return the form of its result} */
    Output output();

    /**
     * {@return the same node on another input}
     *
     * @param input the name of codes of the same type
     */
    Weighted reading(String input);

    /**
     * {@return whether codes of 16 bits are read, multiplied or made, so that sums are int64}
     *
     * @param input how the input's codes stand for values
     */
    default boolean isWide(QuantParams input) {
        return input.range().isWide()
                || weights().range().isWide()
                || (output() instanceof Output.Codes codes && codes.params().range().isWide());
    }

    @Override
    default boolean takesWideCodes() {
        return true;
    }
}
