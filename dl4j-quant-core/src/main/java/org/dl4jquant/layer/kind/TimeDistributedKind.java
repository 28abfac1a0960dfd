// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.dl4jquant.layer.integer.FloatLayers;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.layer.integer.SequenceOutputForm;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.dl4jquant.network.Frozen;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * The layer inside, applied to each step. A dense layer has its quantizers where one of vectors has
 * them, unless its function goes along the features, which are not the last dimension of sequences.
 */
record TimeDistributedKind(TimeDistributed configuration) implements LayerKind {

    /* DL4J shows no weights of a layer that is frozen inside a wrapper. */
    private @Nullable DenseLayer dense() {
        return LayerKinds.of(configuration.getUnderlying()) instanceof DenseKind dense
                        && !Frozen.is(configuration.getUnderlying())
                        && !dense.configuration().hasLayerNorm()
                ? dense.configuration()
                : null;
    }

    @Override
    public CodeFlow flow() {
        return Inside.flow(Inside.of(configuration.getUnderlying()));
    }

    @Override
    public @Nullable WeightLayout weight(String key) {
        return Inside.of(configuration.getUnderlying()).weight(key);
    }

    @Override
    public int channelAxis() {
        return configuration.getRnnDataFormat() == RNNFormat.NWC ? 2 : CHANNELS_FIRST;
    }

    @Override
    public int rowAxis() {
        return channelAxis();
    }

    @Override
    public boolean findsScales() {
        return separatesActivation();
    }

    @Override
    public boolean separatesActivation() {
        DenseLayer dense = dense();
        return dense != null && PointwiseActivation.of(dense.getActivationFn()).isPresent();
    }

    @Override
    public @Nullable IActivation lastFunction() {
        DenseLayer dense = separatesActivation() ? dense() : null;
        return dense == null ? null : dense.getActivationFn();
    }

    /* A copy of the wrapper has the same layer inside, which is not to change with it. */
    @Override
    public void setLastFunction(IActivation function) {
        Layer copy = configuration.getUnderlying().clone();
        LayerKinds.of(copy).setLastFunction(function);
        configuration.setUnderlying(copy);
    }

    @Override
    public IntegerSupport integers() {
        Layer inside = configuration.getUnderlying();
        if (Frozen.is(inside)) {
            return IntegerSupport.refused(
                    "the layer inside TimeDistributed is frozen, so that its weights are not"
                            + " rounded",
                    "freeze the whole TimeDistributed instead");
        }
        DenseLayer dense = dense();
        if (dense == null) {
            return IntegerSupport.refused(
                    "there is no integer form of type TimeDistributed around "
                            + inside.getClass().getSimpleName()
                            + (inside instanceof DenseLayer ? " with layer normalization" : ""),
                    "use the layer of sequences that computes the same, or a TimeDistributed around"
                            + " a DenseLayer without layer normalization");
        }
        return separatesActivation()
                ? SequenceOutputForm.of(configuration, dense)
                : FloatLayers.unknownFunction(dense.getActivationFn());
    }
}
