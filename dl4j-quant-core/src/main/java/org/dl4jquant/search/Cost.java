// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import org.dl4jquant.check.Require;

/**
 * What a layer costs at a width; costs of layers add up. Whoever can measure times makes another.
 */
public interface Cost {

    /** {@return the quantity that is counted, with its unit, for example {@code bytes}} */
    String name();

    /**
     * {@return the cost of a layer, finite and at least 0}
     *
     * @param layer one of the searched network's layers
     * @param bits the width of its weights and of what they are multiplied with
     */
    double of(String layer, int bits);

    /**
     * {@return the bytes of weights at their widths; biases and scales, which every width has, are
     * left out}
     *
     * @param network whose layers
     */
    static Cost bytes(SearchedNetwork network) {
        Require.given(network, "network");
        return of("bytes", (layer, bits) -> network.weights(layer) * (double) bits / Byte.SIZE);
    }

    /**
     * {@return the bit operations of one example: multiplications times both widths}
     *
     * @param network whose layers
     * @see <a href="https://arxiv.org/abs/2011.10680">Yao et al., 2020: HAWQ-V3</a>
     */
    static Cost bitOperations(SearchedNetwork network) {
        Require.given(network, "network");
        return of(
                "bit operations",
                (layer, bits) -> (double) network.multiplications(layer) * bits * bits);
    }

    /**
     * {@return a cost of this function}
     *
     * @param name the quantity that is counted, with its unit
     * @param function a layer's cost at a width
     */
    static Cost of(String name, Function function) {
        Require.given(name, "name");
        Require.given(function, "function");
        return new Cost() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public double of(String layer, int bits) {
                double cost = function.of(layer, bits);
                Require.argument(
                        cost >= 0 && Double.isFinite(cost),
                        "layer '%s' at %d bits costs %s %s; a cost must be finite and at least 0",
                        layer,
                        bits,
                        cost,
                        name);
                return cost;
            }
        };
    }

    /** A layer's cost at a width. */
    @FunctionalInterface
    interface Function {
        /** {@return the cost of a layer at a width} */
        double of(String layer, int bits);
    }
}
