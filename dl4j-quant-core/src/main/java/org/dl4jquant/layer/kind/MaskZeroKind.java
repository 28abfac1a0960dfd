// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.jspecify.annotations.Nullable;

/**
 * The recurrent layer inside, which does not see steps of a certain value. By itself it stays in
 * float: rounding its input would make other steps equal to that value.
 */
record MaskZeroKind(MaskZeroLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.UNKNOWN;
    }

    @Override
    public @Nullable WeightLayout weight(String key) {
        return Inside.of(configuration.getUnderlying()).weight(key);
    }
}
