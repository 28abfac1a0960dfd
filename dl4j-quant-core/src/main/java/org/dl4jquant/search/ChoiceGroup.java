// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * Layers that must be quantized alike, or one layer alone, and how that may be done.
 *
 * @param name says which layers
 * @param choices one at least
 */
public record ChoiceGroup(String name, List<Choice> choices) {

    /** Checks and copies. */
    public ChoiceGroup {
        Objects.requireNonNull(name, "name");
        choices = List.copyOf(choices);
        Require.argument(
                !choices.isEmpty(), "'%s' has no choices; give it one scheme at least", name);
    }
}
