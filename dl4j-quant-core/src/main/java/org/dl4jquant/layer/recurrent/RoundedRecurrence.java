// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Collection;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.layers.recurrent.LastTimeStepLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Instantiates recurrent layers whose hidden state can be rounded. */
public final class RoundedRecurrence {

    private final @Nullable Collection<TrainingListener> listeners;
    private final int index;
    private final DataType type;

    /**
     * Notes what all layers have in common.
     *
     * @param listeners the network's listeners; null without any
     * @param index the layer's index in its network
     * @param type the network's floating-point type
     */
    public RoundedRecurrence(
            @Nullable Collection<TrainingListener> listeners, int index, DataType type) {
        this.listeners = listeners;
        this.index = index;
        this.type = type;
    }

    /**
     * {@return whether a layer is one of those whose hidden state can be rounded}
     *
     * @param layer a configuration, without wrappers
     */
    @SuppressWarnings("deprecation") // models with GravesLSTM are still about
    public static boolean rounds(org.deeplearning4j.nn.conf.layers.Layer layer) {
        Require.given(layer, "layer");
        return layer.getClass() == LSTM.class
                || layer.getClass() == GravesLSTM.class
                || (layer.getClass() == SimpleRnn.class && !((SimpleRnn) layer).hasLayerNorm());
    }

    /**
     * {@return the layer in float, as DL4J would make it but for the loop over time; {@link
     * HiddenState#connect} gives it its rounders}
     *
     * @param conf the configuration with the layer in it
     * @param view its parameters, initialized or not
     */
    public Layer instantiate(NeuralNetConfiguration conf, INDArray view) {
        org.deeplearning4j.nn.conf.layers.Layer layer = conf.getLayer();
        if (layer instanceof Bidirectional both) {
            return bidirectional(conf, both, view);
        }
        if (layer instanceof LastTimeStep last) {
            return new LastTimeStepLayer(instantiate(with(conf, last.getUnderlying()), view));
        }
        return rounds(layer)
                ? rounded(conf, view)
                : layer.instantiate(conf, listeners, index, view, false, type);
    }

    private static NeuralNetConfiguration with(
            NeuralNetConfiguration conf, org.deeplearning4j.nn.conf.layers.Layer layer) {
        NeuralNetConfiguration inner = conf.clone();
        inner.setLayer(layer);
        return inner;
    }

    private Layer bidirectional(NeuralNetConfiguration conf, Bidirectional both, INDArray view) {
        INDArray all = view.reshape(view.length());
        long half = view.length() / 2;
        Layer forwards = instantiate(with(conf, both.getFwd()), all.get(interval(0, half)));
        Layer backwards = instantiate(with(conf, both.getBwd()), all.get(interval(half, 2 * half)));
        RoundedBidirectional layer = new RoundedBidirectional(conf, forwards, backwards, view);
        layer.setParamTable(both.initializer().init(conf, view, false));
        return layer;
    }

    private Layer rounded(NeuralNetConfiguration conf, INDArray view) {
        RoundedRecurrent layer = new RoundedRecurrent(conf, type);
        layer.setListeners(Objects.requireNonNullElseGet(listeners, java.util.List::of));
        layer.setIndex(index);
        layer.setParamsViewArray(view);
        layer.setParamTable(conf.getLayer().initializer().init(conf, view, false));
        layer.setConf(conf);
        return layer;
    }
}
