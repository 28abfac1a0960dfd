// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks with recurrent layers whose hidden states are rounded. */
class HiddenStateTest {

    private static final int EXAMPLES = 8;
    private static final int STEPS = 12;
    private static final int UNITS = 6;

    /* Of a code up to 8 that float32 multiplied by a scale and divided by it again. */
    private static final float ROUNDING = 1e-5f;

    private static MultiLayerNetwork network(BackpropType type, Layer recurrent) {
        MultiLayerConfiguration.Builder list =
                new NeuralNetConfiguration.Builder()
                        .seed(5)
                        .updater(new Sgd(0.1))
                        .list()
                        .layer(recurrent)
                        .layer(output())
                        .setInputType(InputType.recurrent(3, STEPS))
                        .backpropType(type);
        if (type == BackpropType.TruncatedBPTT) {
            list.tBPTTForwardLength(4).tBPTTBackwardLength(3);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(list.build());
        network.init();
        return network;
    }

    private static LSTM lstm() {
        return new LSTM.Builder().nOut(UNITS).activation(Activation.TANH).build();
    }

    private static RnnOutputLayer output() {
        return new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nOut(2)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /** Whether the sum of the first channel so far is above 0. */
    private static DataSet data() {
        INDArray features = Networks.normal(4, EXAMPLES, 3, STEPS);
        INDArray labels = Nd4j.zeros(EXAMPLES, 2, STEPS);
        for (int e = 0; e < EXAMPLES; e++) {
            double sum = 0;
            for (int t = 0; t < STEPS; t++) {
                sum += features.getDouble(e, 0, t);
                labels.putScalar(new int[] {e, sum > 0 ? 1 : 0, t}, 1);
            }
        }
        return new DataSet(features, labels);
    }

    private static DataSetIterator batch() {
        return new SingletonDataSetIterator(data());
    }

    private static MultiLayerNetwork prepared(BackpropType type, Layer recurrent) {
        return Preparation.prepare(
                        network(type, recurrent), QuantSpec.of(LayerScheme.INT4), batch())
                .network();
    }

    private static INDArray parameter(MultiLayerNetwork network, String name) {
        return network.getLayer(0).getParam(name);
    }

    @SuppressWarnings("deprecation") // GravesLSTM
    private static Stream<Layer> recurrentLayers() {
        return Stream.of(
                lstm(),
                new GravesLSTM.Builder().nOut(UNITS).activation(Activation.TANH).build(),
                new SimpleRnn.Builder().nOut(UNITS).activation(Activation.TANH).build());
    }

    @ParameterizedTest
    @MethodSource("recurrentLayers")
    void whatLeavesTheLayerAreCodesOfTheHiddenState(Layer layer) {
        MultiLayerNetwork network = prepared(BackpropType.Standard, layer);
        float scale = parameter(network, TensorRole.HIDDEN.scaleKey()).getFloat(0);
        assertFalse(network.getLayer(0).paramTable().containsKey(TensorRole.OUTPUT.scaleKey()));

        INDArray states = network.feedForward(data().getFeatures()).get(1);

        int nonZero = 0;
        for (float state : RowMajor.floats(states)) {
            float code = Math.round(state / scale);
            assertEquals(scale * code, state);
            assertTrue(code >= -8 && code <= 7);
            nonZero += code == 0 ? 0 : 1;
        }
        assertTrue(nonZero > EXAMPLES);
    }

    @Test
    void theReportSaysThatTheStateIsRounded() {
        PrepareReport report =
                Preparation.prepare(
                                network(BackpropType.Standard, lstm()),
                                QuantSpec.of(LayerScheme.INT8),
                                batch())
                        .report();
        assertEquals(
                "rounds its input, hidden state rounded in each step, result signed",
                report.layers().get(0).remark());
    }

    @Test
    void theScaleLearns() {
        MultiLayerNetwork network = prepared(BackpropType.Standard, lstm());
        float before = parameter(network, TensorRole.HIDDEN.scaleKey()).getFloat(0);
        double loss = network.score(data());
        for (int i = 0; i < 20; i++) {
            network.fit(data());
        }
        assertNotEquals(before, parameter(network, TensorRole.HIDDEN.scaleKey()).getFloat(0));
        assertTrue(network.score(data()) < loss);
    }

    @ParameterizedTest
    @MethodSource("recurrentLayers")
    void bothDirectionsHaveTheirOwnScale(Layer layer) {
        MultiLayerNetwork network = prepared(BackpropType.Standard, new Bidirectional(layer));
        float forwards = parameter(network, TensorRole.HIDDEN.scaleKey()).getFloat(0);
        float backwards = parameter(network, TensorRole.HIDDEN_BACKWARD.scaleKey()).getFloat(0);
        assertNotEquals(forwards, backwards);

        network.fit(data());

        assertNotEquals(forwards, parameter(network, TensorRole.HIDDEN.scaleKey()).getFloat(0));
        assertNotEquals(
                backwards, parameter(network, TensorRole.HIDDEN_BACKWARD.scaleKey()).getFloat(0));
    }

    @Test
    void theStateFollowsThePrecisionInForce() {
        MultiLayerNetwork network = prepared(BackpropType.Standard, lstm());
        INDArray x = data().getFeatures();
        float scale = parameter(network, TensorRole.HIDDEN.scaleKey()).getFloat(0);
        INDArray codes = network.feedForward(x).get(1).div(scale);
        QuantizedLayers.setPrecision(network.getLayer(0), Precision.FP16);
        INDArray halves = network.feedForward(x).get(1);
        assertEquals(halves.castTo(DataType.FLOAT16).castTo(DataType.FLOAT), halves);
        assertNotEquals(codes, halves.div(scale));
        network.fit(data());
        assertEquals(scale, parameter(network, TensorRole.HIDDEN.scaleKey()).getFloat(0));

        QuantizedLayers.setPrecision(network.getLayer(0), null);

        for (float code : RowMajor.floats(network.feedForward(x).get(1).div(scale))) {
            assertEquals((float) Math.rint(code), code, ROUNDING);
        }
    }

    @ParameterizedTest
    @MethodSource("recurrentLayers")
    void truncatedBackpropagationTrains(Layer layer) {
        MultiLayerNetwork network = prepared(BackpropType.TruncatedBPTT, layer);
        double loss = network.score(data());
        for (int i = 0; i < 20; i++) {
            network.fit(data());
        }
        assertTrue(network.score(data()) < loss);
        assertEquals(60, network.getIterationCount(), "three segments for each batch");
    }

    @ParameterizedTest
    @MethodSource("recurrentLayers")
    void timeStepsOneByOneAreTheWholeSequence(Layer layer) {
        MultiLayerNetwork network = prepared(BackpropType.Standard, layer);
        INDArray x = data().getFeatures();
        INDArray whole = network.output(x);
        for (int t = 0; t < STEPS; t++) {
            INDArray step = x.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(t));
            assertEquals(
                    whole.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(t)),
                    network.rnnTimeStep(step.dup()));
        }
    }

    @ParameterizedTest
    @MethodSource("recurrentLayers")
    void aMaskOfTheFeaturesWorksInTraining(Layer layer) {
        DataSet data = data();
        INDArray mask = Nd4j.ones(EXAMPLES, STEPS);
        mask.get(NDArrayIndex.interval(0, 4), NDArrayIndex.interval(8, STEPS)).assign(0);
        data.setFeaturesMaskArray(mask);
        data.setLabelsMaskArray(mask);
        for (Layer each : new Layer[] {layer, new Bidirectional(layer)}) {
            MultiLayerNetwork network = prepared(BackpropType.Standard, each);
            double loss = network.score(data);
            for (int i = 0; i < 10; i++) {
                network.fit(data);
            }
            assertTrue(network.score(data) < loss);
        }
    }

    @Test
    void graphsTrainAndComputeLikeStacksOfLayers() {
        MultiLayerNetwork network = prepared(BackpropType.Standard, lstm());
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(5)
                                .updater(new Sgd(0.1))
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.recurrent(3, STEPS))
                                .addLayer("layer0", lstm(), "in")
                                .addLayer("layer1", output(), "layer0")
                                .setOutputs("layer1")
                                .build());
        graph.init();
        graph.setParams(network(BackpropType.Standard, lstm()).params());
        ComputationGraph prepared =
                Preparation.prepare(graph, QuantSpec.of(LayerScheme.INT4), batch()).network();
        assertEquals(network.params(), prepared.params());
        for (int i = 0; i < 3; i++) {
            network.fit(data());
            prepared.fit(data());
        }
        assertEquals(network.params(), prepared.params());
        assertEquals(
                network.output(data().getFeatures()), prepared.outputSingle(data().getFeatures()));
    }
}
