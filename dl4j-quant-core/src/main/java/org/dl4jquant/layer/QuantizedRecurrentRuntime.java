// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Map;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A {@link QuantizedLayer} around a recurrent layer; the stored states are that layer's. */
@SuppressWarnings("serial")
final class QuantizedRecurrentRuntime extends QuantizedRuntime implements RecurrentLayer {

    private final RecurrentLayer recurrent;

    QuantizedRecurrentRuntime(
            QuantizedLayer layerConf,
            NeuralNetConfiguration conf,
            RecurrentLayer inner,
            @Nullable INDArray view,
            Map<String, INDArray> table,
            DataType type) {
        super(layerConf, conf, inner, view, table, type);
        this.recurrent = inner;
    }

    /** The input that the underlying layer reads, rounded. */
    private INDArray preparedInput() {
        return recurrent.input();
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        setInput(input, workspaceMgr);
        return activate(
                false, () -> recurrent.rnnTimeStep(preparedInput(), workspaceMgr), workspaceMgr);
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input,
            boolean training,
            boolean storeLastForTBPTT,
            LayerWorkspaceMgr workspaceMgr) {
        setInput(input, workspaceMgr);
        return activate(
                training,
                () ->
                        recurrent.rnnActivateUsingStoredState(
                                preparedInput(), training, storeLastForTBPTT, workspaceMgr),
                workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(
            INDArray epsilon, int tbpttBackLength, LayerWorkspaceMgr workspaceMgr) {
        return backward(
                epsilon,
                delta -> recurrent.tbpttBackpropGradient(delta, tbpttBackLength, workspaceMgr),
                workspaceMgr);
    }

    @Override
    public Map<String, INDArray> rnnGetPreviousState() {
        return recurrent.rnnGetPreviousState();
    }

    @Override
    public void rnnSetPreviousState(Map<String, INDArray> stateMap) {
        recurrent.rnnSetPreviousState(stateMap);
    }

    @Override
    public void rnnClearPreviousState() {
        recurrent.rnnClearPreviousState();
    }

    @Override
    public Map<String, INDArray> rnnGetTBPTTState() {
        return recurrent.rnnGetTBPTTState();
    }

    @Override
    public void rnnSetTBPTTState(Map<String, INDArray> state) {
        recurrent.rnnSetTBPTTState(state);
    }
}
