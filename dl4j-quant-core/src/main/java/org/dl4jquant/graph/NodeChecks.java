// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import java.nio.charset.StandardCharsets;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.WeightTensor;

/** Checks that several nodes have in common. */
final class NodeChecks {

    private NodeChecks() {}

    /**
     * Requires a name that every file can hold.
     *
     * @param name of a node
     * @throws IllegalArgumentException if it cannot be used
     */
    static void requireName(String name) {
        Require.given(name, "name");
        Require.argument(!name.isBlank(), "a node of the integer graph has a blank name");
        Require.argument(
                name.chars().noneMatch(Character::isISOControl)
                        && StandardCharsets.UTF_8.newEncoder().canEncode(name),
                "the name of node '%s' holds control characters or half a character, which not"
                        + " every file can; choose another",
                name);
    }

    /**
     * Requires that no window of a pool sees padding only.
     *
     * @param name the pool
     * @param window its windows
     * @throws IllegalArgumentException if one may
     */
    static void requirePaddingBelowKernel(String name, Window window) {
        Window.Extent kernel = window.kernel();
        Require.argument(
                window.before().height() < kernel.height()
                        && window.after().height() < kernel.height()
                        && window.before().width() < kernel.width()
                        && window.after().width() < kernel.width(),
                "pool '%s': padding %s and %s must be smaller than the kernel %s, or a window"
                        + " would see padding only",
                name,
                window.before(),
                window.after(),
                kernel);
    }

    /**
     * Requires that a convolution's weights fit its windows and groups.
     *
     * @param name the convolution
     * @param weights [out, in / groups, kernel height, kernel width]
     * @param window its windows
     * @param groups how many groups of channels there are
     */
    static void requireKernel(String name, WeightTensor weights, Window window, int groups) {
        Require.argument(
                weights.shape().rank() == 4
                        && weights.shape().size(2) == window.kernel().height()
                        && weights.shape().size(3) == window.kernel().width()
                        && weights.channels() % groups == 0,
                "convolution '%s': weights %s do not fit kernel %s and %d groups; they are"
                        + " [out, in / groups, kernel height, kernel width]",
                name,
                weights.shape(),
                window.kernel(),
                groups);
    }
}
