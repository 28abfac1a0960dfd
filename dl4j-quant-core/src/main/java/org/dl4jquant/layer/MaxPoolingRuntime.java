// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The running side of a {@link MaxPoolingLayer}. */
@SuppressWarnings("serial") // DL4J's layers are serializable in name only
final class MaxPoolingRuntime extends BaseWrapperLayer {

    /* Which results depend on a NaN is found by the pool itself: it pools an array that is 1 where
     * the input is NaN and 0 elsewhere. That takes a second pass, so the input is searched first. */

    MaxPoolingRuntime(Layer pool) {
        super(pool);
    }

    /**
     * Keeps the pool's own configuration inside: whoever freezes a layer hands it the wrapper's.
     */
    @Override
    public void setConf(NeuralNetConfiguration conf) {
        if (conf.getLayer() instanceof MaxPoolingLayer wrapper) {
            NeuralNetConfiguration inner = conf.clone();
            inner.setLayer(wrapper.getUnderlying());
            super.setConf(inner);
        } else {
            super.setConf(conf);
        }
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        setInput(input, workspaceMgr);
        return activate(training, workspaceMgr);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        @Nullable INDArray input = underlying.input();
        boolean numbers = input == null || !NonFinite.hasNan(input);
        INDArray result =
                ShapeFaults.named(
                        String.valueOf(conf().getLayer().getLayerName()),
                        input,
                        null,
                        () -> underlying.activate(training, workspaceMgr));
        if (numbers || input == null) {
            return result;
        }
        float[] values = RowMajor.floats(result);
        float[] places = placesOfNan(input, training, workspaceMgr);
        for (int i = 0; i < values.length; i++) {
            values[i] = places[i] > 0 ? Float.NaN : values[i];
        }
        RowMajor.copyInto(values, result);
        return result;
    }

    private float[] placesOfNan(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        float[] flags = RowMajor.floats(input);
        for (int i = 0; i < flags.length; i++) {
            flags[i] = Float.isNaN(flags[i]) ? 1 : 0;
        }
        underlying.setInput(
                RowMajor.array(flags, input.shape()).castTo(input.dataType()), workspaceMgr);
        float[] places = RowMajor.floats(underlying.activate(training, workspaceMgr));
        underlying.setInput(input, workspaceMgr);
        return places;
    }
}
