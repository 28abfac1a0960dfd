// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.LSTM;
import org.deeplearning4j.nn.params.LSTMParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's LSTM with a time loop of its own, in which the hidden state is rounded before the next
 * step reads it and before it leaves the layer. Parameters, stored states, dropout and weight noise
 * are DL4J's.
 */
@SuppressWarnings("serial") // DL4J's layers are serializable in name only
final class RoundedLstm extends LSTM {

    private HiddenState hidden = HiddenState.IN_FLOAT;
    private @Nullable LstmPass pass;

    RoundedLstm(NeuralNetConfiguration conf, DataType type) {
        super(conf, type);
    }

    void setHiddenState(HiddenState hidden) {
        this.hidden = hidden;
    }

    /** {@return the states before rounding, [m, n, T]; null but between forward and backward} */
    @Nullable INDArray rawStates() {
        return pass == null ? null : pass.raw();
    }

    private LstmPass.Cell cell(boolean training, LayerWorkspaceMgr mgr) {
        return new LstmPass.Cell(
                getParamWithNoise(LSTMParamInitializer.INPUT_WEIGHT_KEY, training, mgr),
                getParamWithNoise(LSTMParamInitializer.RECURRENT_WEIGHT_KEY, training, mgr),
                getParamWithNoise(LSTMParamInitializer.BIAS_KEY, training, mgr),
                layerConf().getActivationFn(),
                layerConf().getGateActivationFn(),
                hidden);
    }

    private LstmPass run(boolean training, Map<String, INDArray> states, LayerWorkspaceMgr mgr) {
        assertInputSet(false);
        applyDropOutIfNecessary(training, mgr);
        LstmPass.Cell cell = cell(training, mgr);
        LstmPass.State start =
                new LstmPass.State(
                        states.get(STATE_KEY_PREV_ACTIVATION), states.get(STATE_KEY_PREV_MEMCELL));
        INDArray x = permuteIfNWC(input).castTo(cell.input().dataType());
        requireFits(x, cell, start);
        INDArray mask = maskArray == null ? null : maskArray.castTo(x.dataType());
        LstmPass run = LstmPass.forward(cell, start, x, mask, training, mgr);
        pass = training ? run : null;
        return run;
    }

    private void requireFits(INDArray x, LstmPass.Cell cell, LstmPass.State start) {
        Require.argument(
                x.rank() == 3 && x.size(1) == cell.input().size(0),
                "layer \"%s\" reads sequences of shape [examples, %d, steps], but its input has the"
                        + " shape %s",
                conf().getLayer().getLayerName(),
                cell.input().size(0),
                java.util.Arrays.toString(x.shape()));
        INDArray before = start.hidden();
        Require.state(
                before == null || before.size(0) == x.size(0),
                "layer \"%s\" remembers a state of %d examples, but its input has %d; call"
                        + " rnnClearPreviousState between batches",
                conf().getLayer().getLayerName(),
                before == null ? 0 : before.size(0),
                x.size(0));
    }

    private static void store(LstmPass run, Map<String, INDArray> states) {
        LstmPass.State end = Detached.compute(run::end);
        states.put(STATE_KEY_PREV_ACTIVATION, Objects.requireNonNull(end.hidden()));
        states.put(STATE_KEY_PREV_MEMCELL, Objects.requireNonNull(end.memory()));
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr mgr) {
        setInput(input, mgr);
        return activate(training, mgr);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr mgr) {
        return permuteIfNWC(run(training, Map.of(), mgr).result());
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr mgr) {
        setInput(input, mgr);
        LstmPass run = run(false, stateMap, mgr);
        store(run, stateMap);
        return permuteIfNWC(run.result());
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input, boolean training, boolean storeLastForTBPTT, LayerWorkspaceMgr mgr) {
        setInput(input, mgr);
        LstmPass run = run(training, tBpttStateMap, mgr);
        if (storeLastForTBPTT) {
            store(run, tBpttStateMap);
        }
        return permuteIfNWC(run.result());
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr mgr) {
        LstmPass forward = pass == null ? run(true, Map.of(), mgr) : pass;
        return backward(forward, epsilon, Integer.MAX_VALUE, mgr);
    }

    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(
            INDArray epsilon, int tbpttBackwardLength, LayerWorkspaceMgr mgr) {
        LstmPass forward = pass == null ? run(true, stateMap, mgr) : pass;
        store(forward, tBpttStateMap);
        return backward(forward, epsilon, tbpttBackwardLength, mgr);
    }

    private Pair<Gradient, INDArray> backward(
            LstmPass forward, INDArray epsilon, int length, LayerWorkspaceMgr mgr) {
        LstmPass.Views views =
                new LstmPass.Views(
                        gradientView(LSTMParamInitializer.INPUT_WEIGHT_KEY),
                        gradientView(LSTMParamInitializer.RECURRENT_WEIGHT_KEY),
                        gradientView(LSTMParamInitializer.BIAS_KEY));
        INDArray toInput = forward.backward(permuteIfNWC(epsilon), length, views, mgr);
        pass = null;
        weightNoiseParams.clear();
        Gradient gradient = new DefaultGradient();
        gradient.setGradientFor(LSTMParamInitializer.INPUT_WEIGHT_KEY, views.input());
        gradient.setGradientFor(LSTMParamInitializer.RECURRENT_WEIGHT_KEY, views.recurrent());
        gradient.setGradientFor(LSTMParamInitializer.BIAS_KEY, views.biases());
        return new Pair<>(gradient, permuteIfNWC(backpropDropOutIfPresent(toInput)));
    }

    private INDArray gradientView(String key) {
        return Objects.requireNonNull(gradientViews.get(key), key);
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }
}
