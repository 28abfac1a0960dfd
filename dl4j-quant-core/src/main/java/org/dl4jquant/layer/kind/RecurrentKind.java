// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Set;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.params.SimpleRnnParamInitializer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.RecurrentForm;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.dl4jquant.layer.recurrent.RoundedRecurrence;
import org.jspecify.annotations.Nullable;

/**
 * A recurrent layer; its weights are [in, units] and [units, units]. Its hidden state can be
 * rounded in each step unless a layer normalization stands in the recurrence.
 */
record RecurrentKind(BaseRecurrentLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public @Nullable WeightLayout weight(String key) {
        return key.equals(SimpleRnnParamInitializer.GAIN_KEY) ? null : WeightLayout.MATRIX;
    }

    @Override
    public Set<TensorRole> innerTensors() {
        return RoundedRecurrence.rounds(configuration) ? Set.of(TensorRole.HIDDEN) : Set.of();
    }

    @Override
    public IntegerSupport integers() {
        return configuration instanceof SimpleRnn rnn && rnn.hasLayerNorm()
                ? IntegerSupport.refused(
                        "there is no integer form of type SimpleRnn with layer normalization",
                        "train the layer without hasLayerNorm")
                : RecurrentForm.of(configuration);
    }
}
