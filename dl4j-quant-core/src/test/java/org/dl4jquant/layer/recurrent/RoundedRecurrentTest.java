// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.recurrent.ScalarRecurrence.Kind;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.scheme.LayerScheme;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Recurrent layers with a time loop of their own, against DL4J's and against loops over single
 * numbers.
 */
class RoundedRecurrentTest {

    private static final int EXAMPLES = 3;
    private static final int INPUTS = 4;
    private static final int UNITS = 5;
    private static final int STEPS = 6;

    /* Sums of up to 18 float32 products of magnitude 1, six steps deep, in another order. */
    private static final float TOLERANCE = 2e-5f;

    private static final LayerWorkspaceMgr NO_WORKSPACES = LayerWorkspaceMgr.noWorkspaces();

    @SuppressWarnings("deprecation") // GravesLSTM
    private static BaseRecurrentLayer layer(Kind kind, Activation gate) {
        return switch (kind) {
            case LSTM -> lstm().gateActivationFunction(gate).build();
            case GRAVES_LSTM ->
                    new GravesLSTM.Builder()
                            .nIn(INPUTS)
                            .nOut(UNITS)
                            .activation(Activation.TANH)
                            .gateActivationFunction(gate)
                            .build();
            case SIMPLE_RNN ->
                    new SimpleRnn.Builder()
                            .nIn(INPUTS)
                            .nOut(UNITS)
                            .activation(Activation.TANH)
                            .build();
        };
    }

    private static BaseRecurrentLayer layer(Kind kind) {
        return layer(kind, Activation.SIGMOID);
    }

    private static LSTM.Builder lstm() {
        return new LSTM.Builder()
                .nIn(INPUTS)
                .nOut(UNITS)
                .activation(Activation.TANH)
                .forgetGateBiasInit(0.7);
    }

    /** One layer as DL4J computes it and one as we do, with the same parameters. */
    private record Twins(RecurrentLayer theirs, RecurrentLayer ours) {
        static Twins of(BaseRecurrentLayer conf) {
            NeuralNetConfiguration configuration = new NeuralNetConfiguration();
            configuration.setLayer(conf);
            long length = conf.initializer().numParams(configuration);
            INDArray parameters = normal(1, 0.4f, length);
            Twins twins =
                    new Twins(
                            (RecurrentLayer)
                                    conf.instantiate(
                                            configuration,
                                            List.of(),
                                            0,
                                            parameters,
                                            false,
                                            DataType.FLOAT),
                            (RecurrentLayer)
                                    new RoundedRecurrence(List.of(), 0, DataType.FLOAT)
                                            .instantiate(configuration.clone(), parameters.dup()));
            twins.theirs().setBackpropGradientsViewArray(Nd4j.create(length));
            twins.ours().setBackpropGradientsViewArray(Nd4j.create(length));
            return twins;
        }

        void requireSameGradients(
                Pair<Gradient, INDArray> expected, Pair<Gradient, INDArray> actual) {
            requireClose(expected.getSecond(), actual.getSecond());
            for (String key : List.of("W", "RW", "b")) {
                requireClose(
                        expected.getFirst().getGradientFor(key),
                        actual.getFirst().getGradientFor(key));
            }
            requireClose(theirs.getGradientsViewArray(), ours.getGradientsViewArray());
        }
    }

    private static INDArray normal(long seed, float deviation, long... shape) {
        Random random = new Random(seed);
        INDArray array = Nd4j.create(shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, deviation * (float) random.nextGaussian());
        }
        return array;
    }

    private static void requireClose(INDArray expected, INDArray actual) {
        assertArrayEquals(expected.shape(), actual.shape());
        assertArrayEquals(RowMajor.floats(expected), RowMajor.floats(actual), TOLERANCE);
    }

    private static INDArray sequence(long seed) {
        return normal(seed, 1, EXAMPLES, INPUTS, STEPS);
    }

    @ParameterizedTest
    @EnumSource(
            value = Activation.class,
            names = {"SIGMOID", "HARDSIGMOID", "RATIONALTANH"})
    void computesWhatDl4jDoesWithoutRounding(Activation gate) {
        for (Kind kind : Kind.values()) {
            requireTwins(Twins.of(layer(kind, gate)), null);
        }
    }

    @Test
    void aMaskHidesTheSameGradientsAsInDl4jsSimpleRnn() {
        requireTwins(Twins.of(layer(Kind.SIMPLE_RNN)), mask());
    }

    private static void requireTwins(Twins twins, @Nullable INDArray mask) {
        twins.theirs().setMaskArray(mask);
        twins.ours().setMaskArray(mask);
        INDArray x = sequence(2);
        INDArray epsilon = normal(3, 1, EXAMPLES, UNITS, STEPS);

        requireClose(
                twins.theirs().activate(x, true, NO_WORKSPACES),
                twins.ours().activate(x, true, NO_WORKSPACES));
        twins.requireSameGradients(
                twins.theirs().backpropGradient(epsilon.dup(), NO_WORKSPACES),
                twins.ours().backpropGradient(epsilon.dup(), NO_WORKSPACES));
    }

    @ParameterizedTest
    @EnumSource
    void computesWhatDl4jDoesInOtherFunctionsAndChannelsLast(Kind kind) {
        BaseRecurrentLayer conf = layer(kind);
        conf.setActivationFn(Activation.SOFTSIGN.getActivationFunction());
        conf.setRnnDataFormat(RNNFormat.NWC);
        Twins twins = Twins.of(conf);
        INDArray x = normal(2, 1, EXAMPLES, STEPS, INPUTS);
        INDArray epsilon = normal(3, 1, EXAMPLES, STEPS, UNITS);

        requireClose(
                twins.theirs().activate(x, true, NO_WORKSPACES),
                twins.ours().activate(x, true, NO_WORKSPACES));
        twins.requireSameGradients(
                twins.theirs().backpropGradient(epsilon.dup(), NO_WORKSPACES),
                twins.ours().backpropGradient(epsilon.dup(), NO_WORKSPACES));
    }

    @ParameterizedTest
    @EnumSource(names = {"LSTM", "GRAVES_LSTM"})
    void trainsOnWithStoredStatesAsDl4jDoes(Kind kind) {
        Twins twins = Twins.of(layer(kind));
        for (int segment = 0; segment < 3; segment++) {
            INDArray x = sequence(10 + segment);
            INDArray epsilon = normal(20 + segment, 1, EXAMPLES, UNITS, STEPS);
            requireClose(
                    twins.theirs().rnnActivateUsingStoredState(x, true, true, NO_WORKSPACES),
                    twins.ours().rnnActivateUsingStoredState(x, true, true, NO_WORKSPACES));
            twins.requireSameGradients(
                    twins.theirs().tbpttBackpropGradient(epsilon.dup(), 4, NO_WORKSPACES),
                    twins.ours().tbpttBackpropGradient(epsilon.dup(), 4, NO_WORKSPACES));
            for (RecurrentLayer layer : List.of(twins.theirs(), twins.ours())) {
                layer.rnnSetPreviousState(layer.rnnGetTBPTTState());
            }
            twins.theirs()
                    .rnnGetTBPTTState()
                    .forEach(
                            (key, state) ->
                                    requireClose(state, twins.ours().rnnGetTBPTTState().get(key)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void inferenceStepByStepIsInferenceAtOnce(Kind kind) {
        RecurrentLayer layer = Twins.of(layer(kind)).ours();
        connect(layer, 0.1);
        INDArray x = sequence(2);
        INDArray whole = layer.activate(x, false, NO_WORKSPACES);
        assertEquals(whole, layer.activate(x, true, NO_WORKSPACES), "training rounds the same");

        for (int t = 0; t < STEPS; t++) {
            INDArray one = x.get(all(), all(), interval(t, t + 1));
            assertEquals(
                    whole.get(all(), all(), interval(t, t + 1)),
                    layer.rnnTimeStep(one, NO_WORKSPACES));
        }
    }

    private static INDArrayIndex all() {
        return NDArrayIndex.all();
    }

    private static INDArrayIndex interval(long from, long to) {
        return NDArrayIndex.interval(from, to);
    }

    @ParameterizedTest
    @EnumSource
    void aMaskHidesStepsAsInDl4j(Kind kind) {
        Twins twins = Twins.of(layer(kind));
        INDArray x = sequence(2);
        twins.theirs().setMaskArray(mask());
        twins.ours().setMaskArray(mask());

        requireClose(
                twins.theirs().activate(x, false, NO_WORKSPACES),
                twins.ours().activate(x, false, NO_WORKSPACES));
    }

    private static INDArray mask() {
        INDArray mask = Nd4j.ones(EXAMPLES, STEPS);
        mask.putScalar(0, 2, 0);
        mask.putScalar(1, 4, 0);
        mask.putScalar(1, 5, 0);
        return mask;
    }

    /** Puts a quantizer after each step; returns the scale's gradient, for now 0. */
    private static INDArray connect(RecurrentLayer layer, double scale) {
        INDArray scales = Nd4j.scalar(DataType.FLOAT, scale).reshape(1);
        INDArray gradient = Nd4j.create(DataType.FLOAT, 1);
        ActivationScheme scheme =
                new ActivationScheme(Objects.requireNonNull(LayerScheme.INT4.activations()), true);
        CodeRounder rounder = CodeRounder.ofActivation("lstm", "hidden", scheme, scales, null);
        rounder.setScaleGradients(gradient);
        HiddenState.connect(layer, Map.of(TensorRole.HIDDEN, rounder), () -> null);
        return gradient;
    }

    /* A scale that clips some states and not all: those of a SimpleRnn are larger. */
    private static double scale(Kind kind) {
        return kind == Kind.SIMPLE_RNN ? 0.1 : 0.03;
    }

    @ParameterizedTest
    @EnumSource
    void roundsTheHiddenStateAsLoopsOverSingleNumbersDo(Kind kind) {
        requireOracle(kind, scale(kind), null);
    }

    @ParameterizedTest
    @EnumSource
    void aMaskedStepNeitherCountsNorLetsGradientsThrough(Kind kind) {
        requireOracle(kind, scale(kind), mask());
    }

    @ParameterizedTest
    @EnumSource
    void withoutRoundingTheLoopsAgreeInMaskedSteps(Kind kind) {
        requireOracle(kind, 0, mask());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, STEPS})
    void aSimpleRnnGoesBackToAStateThatItRemembers(int length) {
        RecurrentLayer layer = Twins.of(layer(Kind.SIMPLE_RNN)).ours();
        double scale = scale(Kind.SIMPLE_RNN);
        connect(layer, scale);
        layer.rnnActivateUsingStoredState(sequence(7), true, true, NO_WORKSPACES);
        layer.rnnSetPreviousState(layer.rnnGetTBPTTState());
        INDArray remembered = layer.rnnGetPreviousState().get("prevAct");
        INDArray x = sequence(8);
        INDArray epsilon = normal(9, 1, EXAMPLES, UNITS, STEPS);
        INDArray result = layer.rnnActivateUsingStoredState(x, true, true, NO_WORKSPACES).dup();

        // The last steps alone, with the one before them as a state before which no gradient goes.
        int from = STEPS - length;
        INDArray start =
                from == 0 ? remembered : result.get(all(), all(), NDArrayIndex.point(from - 1));
        ScalarRecurrence oracle =
                new ScalarRecurrence(Kind.SIMPLE_RNN, EXAMPLES, INPUTS, UNITS, length, -8, 7, null);
        ScalarRecurrence.Values values =
                new ScalarRecurrence.Values(
                        doubles(x.get(all(), all(), interval(from, STEPS))),
                        doubles(layer.getParam("W")),
                        doubles(layer.getParam("RW")),
                        doubles(layer.getParam("b")),
                        (float) scale,
                        doubles(start));
        double[] upstream = doubles(epsilon.get(all(), all(), interval(from, STEPS)));
        requireClose(oracle.run(values), result.get(all(), all(), interval(from, STEPS)));
        Pair<Gradient, INDArray> back = layer.tbpttBackpropGradient(epsilon, length, NO_WORKSPACES);

        Gradient gradient = back.getFirst();
        requireClose(oracle.gradient(values, values.w, upstream), gradient.getGradientFor("W"));
        requireClose(oracle.gradient(values, values.rw, upstream), gradient.getGradientFor("RW"));
        requireClose(oracle.gradient(values, values.b, upstream), gradient.getGradientFor("b"));
        INDArray toInput = back.getSecond();
        requireClose(
                oracle.gradient(values, values.x, upstream),
                toInput.get(all(), all(), interval(from, STEPS)));
        for (int t = 0; t < from; t++) {
            assertEquals(Nd4j.create(EXAMPLES, INPUTS), TimeSteps.at(toInput, t));
        }
    }

    @Test
    void leavesASimpleRnnWithLayerNormalizationToDl4j() {
        SimpleRnn normalized =
                new SimpleRnn.Builder().nIn(INPUTS).nOut(UNITS).hasLayerNorm(true).build();
        assertFalse(RoundedRecurrence.rounds(normalized));
    }

    /* The surrogate's gradients of all parameters, of the input and of the scale. */
    private static void requireOracle(Kind kind, double scale, @Nullable INDArray mask) {
        RecurrentLayer layer = Twins.of(layer(kind)).ours();
        INDArray scaleGradient = scale > 0 ? connect(layer, scale) : Nd4j.create(1);
        layer.setMaskArray(mask);
        INDArray x = sequence(2);
        INDArray epsilon = normal(3, 1, EXAMPLES, UNITS, STEPS);
        ScalarRecurrence oracle =
                new ScalarRecurrence(
                        kind,
                        EXAMPLES,
                        INPUTS,
                        UNITS,
                        STEPS,
                        scale > 0 ? -8 : 0,
                        scale > 0 ? 7 : 0,
                        mask == null ? null : mask.toDoubleMatrix());
        ScalarRecurrence.Values values =
                new ScalarRecurrence.Values(
                        doubles(x),
                        doubles(layer.getParam("W")),
                        doubles(layer.getParam("RW")),
                        doubles(layer.getParam("b")),
                        (float) scale,
                        new double[EXAMPLES * UNITS]);
        double[] upstream = doubles(epsilon);

        requireClose(oracle.run(values), layer.activate(x, true, NO_WORKSPACES));
        if (scale > 0) {
            assertTrue(oracle.clipped() > 5, "some states are clipped");
        }
        Pair<Gradient, INDArray> back = layer.backpropGradient(epsilon, NO_WORKSPACES);

        requireClose(oracle.gradient(values, values.x, upstream), back.getSecond());
        Gradient gradient = back.getFirst();
        requireClose(oracle.gradient(values, values.w, upstream), gradient.getGradientFor("W"));
        requireClose(oracle.gradient(values, values.rw, upstream), gradient.getGradientFor("RW"));
        requireClose(oracle.gradient(values, values.b, upstream), gradient.getGradientFor("b"));
        // LSQ: an example's elements that share the scale, times the largest code
        double lsq = 1 / Math.sqrt(UNITS * STEPS * 7.0);
        double expected = oracle.gradient(values, values.scale, upstream)[0] * lsq;
        assertEquals(expected, scaleGradient.getDouble(0), TOLERANCE);
        assertEquals(scale > 0, Math.abs(expected) > 100 * TOLERANCE);
    }

    private static double[] doubles(INDArray array) {
        float[] floats = RowMajor.floats(array);
        double[] doubles = new double[floats.length];
        Arrays.setAll(doubles, i -> floats[i]);
        return doubles;
    }

    private static void requireClose(double[] expected, INDArray actual) {
        assertArrayEquals(expected, doubles(actual), TOLERANCE);
    }

    @Test
    void refusesAnInputOfAnotherWidth() {
        RecurrentLayer layer = Twins.of(lstm().name("lstm").build()).ours();
        assertEquals(
                "layer \"lstm\" reads sequences of shape [examples, 4, steps] with one step or"
                        + " more, but its input has the shape [3, 2, 6]",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        layer.activate(
                                                normal(1, 1, EXAMPLES, 2, STEPS),
                                                false,
                                                NO_WORKSPACES))
                        .getMessage());
    }

    @Test
    void refusesAStateOfAnotherBatch() {
        RecurrentLayer layer = Twins.of(lstm().name("lstm").build()).ours();
        layer.rnnTimeStep(sequence(1), NO_WORKSPACES);
        assertEquals(
                "layer \"lstm\" remembers a state of 3 examples, but its input has 2; call"
                        + " rnnClearPreviousState between batches",
                assertThrows(
                                IllegalStateException.class,
                                () ->
                                        layer.rnnTimeStep(
                                                normal(1, 1, 2, INPUTS, STEPS), NO_WORKSPACES))
                        .getMessage());
    }
}
