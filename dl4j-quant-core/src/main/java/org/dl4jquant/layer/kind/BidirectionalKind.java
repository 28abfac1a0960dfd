// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Set;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.dl4jquant.layer.integer.BidirectionalForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.jspecify.annotations.Nullable;

/** A recurrent layer in both directions of time; the names of its weights begin with f or b. */
record BidirectionalKind(Bidirectional configuration) implements LayerKind {

    private LayerKind forwards() {
        return Inside.of(configuration.getFwd());
    }

    @Override
    public CodeFlow flow() {
        return Inside.flow(forwards());
    }

    @Override
    public @Nullable WeightLayout weight(String key) {
        return forwards().weight(key.substring(1));
    }

    @Override
    public Set<TensorRole> innerTensors() {
        return Inside.innerTensors(configuration.getFwd()).isEmpty()
                ? Set.of()
                : Set.of(TensorRole.HIDDEN, TensorRole.HIDDEN_BACKWARD);
    }

    @Override
    public IntegerSupport integers() {
        return forwards().configuration() instanceof BaseRecurrentLayer layer
                ? BidirectionalForm.of(configuration, layer, forwards().integers())
                : Refusals.of(configuration, " around another layer than LSTM or SimpleRnn");
    }
}
