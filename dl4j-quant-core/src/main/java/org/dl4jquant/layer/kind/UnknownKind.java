// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

/**
 * A layer, vertex or preprocessor that stays in float: one of DL4J's that was not shown to work on
 * codes, or a class that is not DL4J's.
 *
 * @param configuration the configuration
 */
record UnknownKind(Object configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.UNKNOWN;
    }
}
