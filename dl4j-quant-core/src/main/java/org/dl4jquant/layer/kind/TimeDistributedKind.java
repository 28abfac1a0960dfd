// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.jspecify.annotations.Nullable;

/** The layer inside, applied to each step. */
record TimeDistributedKind(TimeDistributed configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return Inside.flow(Inside.of(configuration.getUnderlying()));
    }

    @Override
    public @Nullable WeightLayout weight(String key) {
        return Inside.of(configuration.getUnderlying()).weight(key);
    }
}
