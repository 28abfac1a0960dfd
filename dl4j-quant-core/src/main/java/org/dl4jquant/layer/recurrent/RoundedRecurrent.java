// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.BaseRecurrentLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's LSTM, GravesLSTM or SimpleRnn with a time loop of its own, in which the hidden state is
 * rounded before the next step reads it and before it leaves the layer. Parameters, stored states,
 * dropout and weight noise are DL4J's.
 */
@SuppressWarnings("serial") // DL4J's layers are serializable in name only
final class RoundedRecurrent
        extends BaseRecurrentLayer<org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer> {

    private static final String INPUT_WEIGHTS = "W";
    private static final String RECURRENT_WEIGHTS = "RW";
    private static final String BIASES = "b";

    private HiddenState hidden = HiddenState.IN_FLOAT;
    private @Nullable RecurrentPass pass;

    RoundedRecurrent(NeuralNetConfiguration conf, DataType type) {
        super(conf, type);
    }

    void setHiddenState(HiddenState hidden) {
        this.hidden = hidden;
    }

    /** {@return the states before rounding, [m, n, T]; null but between forward and backward} */
    @Nullable INDArray rawStates() {
        return pass == null ? null : pass.raw();
    }

    private RecurrentPass run(
            boolean training, Map<String, INDArray> states, LayerWorkspaceMgr mgr) {
        assertInputSet(false);
        applyDropOutIfNecessary(training, mgr);
        INDArray w = getParamWithNoise(INPUT_WEIGHTS, training, mgr);
        INDArray x = permuteIfNWC(input).castTo(w.dataType());
        requireFits(x, w, states.get(RecurrentPass.HIDDEN_STATE));
        INDArray mask = maskArray == null ? null : maskArray.castTo(x.dataType());
        RecurrentPass run = forward(w, states, new TimeSteps(x, mask), training, mgr);
        pass = training ? run : null;
        return run;
    }

    private RecurrentPass forward(
            INDArray w,
            Map<String, INDArray> states,
            TimeSteps steps,
            boolean training,
            LayerWorkspaceMgr mgr) {
        INDArray rw = getParamWithNoise(RECURRENT_WEIGHTS, training, mgr);
        INDArray b = getParamWithNoise(BIASES, training, mgr);
        if (layerConf() instanceof AbstractLSTM lstm) {
            LstmPass.Cell cell =
                    LstmPass.Cell.of(
                            w, rw, b, lstm.getActivationFn(), lstm.getGateActivationFn(), hidden);
            return LstmPass.forward(cell, LstmPass.State.of(states), steps, training, mgr);
        }
        SimpleRnnPass.Cell cell =
                new SimpleRnnPass.Cell(w, rw, b, layerConf().getActivationFn(), hidden);
        return SimpleRnnPass.forward(cell, states, steps, training, mgr);
    }

    private void requireFits(INDArray x, INDArray w, @Nullable INDArray before) {
        Require.argument(
                x.rank() == 3 && x.size(1) == w.size(0) && x.size(2) > 0,
                "layer \"%s\" reads sequences of shape [examples, %d, steps] with one step or more,"
                        + " but its input has the shape %s",
                conf().getLayer().getLayerName(),
                w.size(0),
                java.util.Arrays.toString(x.shape()));
        Require.state(
                before == null || before.size(0) == x.size(0),
                "layer \"%s\" remembers a state of %d examples, but its input has %d; call"
                        + " rnnClearPreviousState between batches",
                conf().getLayer().getLayerName(),
                before == null ? 0 : before.size(0),
                x.size(0));
    }

    private static void store(RecurrentPass run, Map<String, INDArray> states) {
        states.putAll(Detached.compute(run::end));
    }

    @Override
    public Type type() {
        return Type.RECURRENT;
    }

    @Override
    public boolean isPretrainLayer() {
        return false;
    }

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(
            @Nullable INDArray maskArray, MaskState currentMaskState, int minibatchSize) {
        return layerConf() instanceof AbstractLSTM
                ? new Pair<>(maskArray, MaskState.Passthrough)
                : super.feedForwardMaskArray(maskArray, currentMaskState, minibatchSize);
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
        RecurrentPass run = run(false, stateMap, mgr);
        store(run, stateMap);
        return permuteIfNWC(run.result());
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input, boolean training, boolean storeLastForTBPTT, LayerWorkspaceMgr mgr) {
        setInput(input, mgr);
        RecurrentPass run = run(training, tBpttStateMap, mgr);
        if (storeLastForTBPTT) {
            store(run, tBpttStateMap);
        }
        return permuteIfNWC(run.result());
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr mgr) {
        RecurrentPass forward = pass == null ? run(true, Map.of(), mgr) : pass;
        return backward(forward, epsilon, Integer.MAX_VALUE, mgr);
    }

    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(
            INDArray epsilon, int tbpttBackwardLength, LayerWorkspaceMgr mgr) {
        RecurrentPass forward = pass == null ? run(true, stateMap, mgr) : pass;
        store(forward, tBpttStateMap);
        return backward(forward, epsilon, tbpttBackwardLength, mgr);
    }

    private Pair<Gradient, INDArray> backward(
            RecurrentPass forward, INDArray epsilon, int length, LayerWorkspaceMgr mgr) {
        RecurrentPass.Views views =
                new RecurrentPass.Views(
                        gradientView(INPUT_WEIGHTS),
                        gradientView(RECURRENT_WEIGHTS),
                        gradientView(BIASES));
        INDArray toInput = forward.backward(permuteIfNWC(epsilon), length, views, mgr);
        pass = null;
        weightNoiseParams.clear();
        Gradient gradient = new DefaultGradient();
        gradient.setGradientFor(INPUT_WEIGHTS, views.input());
        gradient.setGradientFor(RECURRENT_WEIGHTS, views.recurrent());
        gradient.setGradientFor(BIASES, views.biases());
        // Dropout has seen the input in its own format.
        return new Pair<>(gradient, backpropDropOutIfPresent(permuteIfNWC(toInput)));
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
