// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

/**
 * A layer, vertex or preprocessor that moves or repeats elements, or adds zeros, whatever its
 * options.
 *
 * @param configuration the configuration
 */
record MovingKind(Object configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }
}
