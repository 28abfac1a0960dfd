// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PoolForms;

/**
 * A pool of windows of images or sequences.
 *
 * @param configuration the configuration
 * @param integers its integer form, or why it has none
 */
record WindowPoolKind(SubsamplingLayer configuration, IntegerSupport integers)
        implements LayerKind {

    static LayerKind ofImages(SubsamplingLayer layer) {
        return new WindowPoolKind(layer, PoolForms.of(layer));
    }

    static LayerKind ofSequences(Subsampling1DLayer layer) {
        return new WindowPoolKind(layer, PoolForms.ofSequences(layer));
    }

    @Override
    public CodeFlow flow() {
        return switch (configuration.getPoolingType()) {
            case MAX -> CodeFlow.PICKS;
            case AVG, SUM -> CodeFlow.AVERAGES;
            case PNORM -> configuration.getPnorm() == 1 ? CodeFlow.AVERAGES : CodeFlow.RESCALES;
        };
    }

    @Override
    public boolean keepsSign() {
        return true;
    }

    @Override
    public Optional<FloatForm> floats() {
        return configuration instanceof Subsampling1DLayer
                ? Optional.empty()
                : Optional.of(FloatForms.pool(configuration));
    }
}
