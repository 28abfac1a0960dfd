// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Optional;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.DenseForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.SequenceOutputForm;
import org.dl4jquant.layer.quantizers.WeightLayout;

/**
 * A dense layer with a loss, for vectors or for each step of sequences; its weight is [in, out].
 */
record OutputKind(BaseOutputLayer configuration, IntegerSupport integers) implements LayerKind {

    static LayerKind of(BaseOutputLayer layer) {
        return new OutputKind(layer, DenseForm.of(layer));
    }

    /** {@return the kind of an output layer of sequences} */
    static LayerKind ofSequences(RnnOutputLayer layer) {
        return new OutputKind(layer, SequenceOutputForm.of(layer));
    }

    @Override
    public boolean findsScales() {
        return true;
    }

    @Override
    public int rowAxis() {
        return configuration instanceof RnnOutputLayer layer
                        && layer.getRnnDataFormat() == RNNFormat.NWC
                ? 2
                : CHANNELS_FIRST;
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.MATRIX;
    }

    @Override
    public boolean isOutput() {
        return true;
    }

    @Override
    public Optional<FloatForm> floats() {
        return Optional.of(FloatForms.dense(configuration.getActivationFn()));
    }
}
