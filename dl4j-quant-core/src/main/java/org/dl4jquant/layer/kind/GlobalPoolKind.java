// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PoolForms;

/** A pool of all steps of a sequence, or all places of an image or a volume. */
record GlobalPoolKind(GlobalPoolingLayer configuration) implements LayerKind {

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
    public boolean makesVectors() {
        return configuration.isCollapseDimensions();
    }

    @Override
    public IntegerSupport integers() {
        return PoolForms.of(configuration);
    }

    @Override
    public Optional<FloatForm> floats() {
        return Optional.of(FloatForms.globalPool(configuration));
    }
}
