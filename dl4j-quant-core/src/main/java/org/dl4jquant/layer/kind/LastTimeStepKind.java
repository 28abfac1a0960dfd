// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Set;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.LastTimeStepForm;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.dl4jquant.network.Frozen;
import org.jspecify.annotations.Nullable;

/** The last step of the recurrent layer inside. */
record LastTimeStepKind(LastTimeStep configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return Inside.flow(Inside.of(configuration.getUnderlying()));
    }

    @Override
    public @Nullable WeightLayout weight(String key) {
        return Inside.of(configuration.getUnderlying()).weight(key);
    }

    @Override
    public Set<TensorRole> innerTensors() {
        return Inside.innerTensors(configuration.getUnderlying());
    }

    @Override
    public IntegerSupport integers() {
        Layer underlying = configuration.getUnderlying();
        if (!Frozen.inside(underlying).equals(underlying)) {
            // DL4J shows no weights of a layer that is frozen inside a wrapper.
            return IntegerSupport.refused(
                    "the layer inside LastTimeStep is frozen, so that its weights are not rounded",
                    "freeze the whole LastTimeStep instead");
        }
        LayerKind inside = LayerKinds.of(configuration.getUnderlying());
        boolean channelsLast =
                inside.configuration() instanceof BaseRecurrentLayer layer
                        && layer.getRnnDataFormat() == RNNFormat.NWC;
        return LastTimeStepForm.of(inside.integers(), channelsLast);
    }
}
