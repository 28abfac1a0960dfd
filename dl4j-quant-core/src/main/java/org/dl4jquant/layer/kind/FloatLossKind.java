// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

/** A loss whose result is not just a function of its input, or that the integer graph has not. */
record FloatLossKind(Object configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.LOSS;
    }
}
