// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.recurrent.RememberedStates;
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

    /**
     * States that the underlying layer keeps.
     *
     * @param reader returns them
     * @param writer replaces them
     * @param kept whether they are replaced
     */
    private record Kept(
            Supplier<Map<String, INDArray>> reader,
            Consumer<Map<String, INDArray>> writer,
            boolean kept)
            implements Remembered {

        @Override
        public List<INDArray> before() {
            return RememberedStates.inOrder(reader.get());
        }

        @Override
        public void after(List<INDArray> states) {
            if (kept) {
                writer.accept(RememberedStates.byName(states));
            }
        }
    }

    /** The input that the underlying layer reads, rounded. */
    private INDArray preparedInput() {
        return recurrent.input();
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        setInput(input, workspaceMgr);
        return activate(
                false,
                () -> recurrent.rnnTimeStep(preparedInput(), workspaceMgr),
                new Kept(recurrent::rnnGetPreviousState, recurrent::rnnSetPreviousState, true),
                workspaceMgr);
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
                new Kept(
                        recurrent::rnnGetTBPTTState,
                        recurrent::rnnSetTBPTTState,
                        storeLastForTBPTT),
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
