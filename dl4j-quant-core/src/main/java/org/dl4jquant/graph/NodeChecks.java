// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import java.nio.charset.StandardCharsets;
import org.dl4jquant.check.Require;

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
}
