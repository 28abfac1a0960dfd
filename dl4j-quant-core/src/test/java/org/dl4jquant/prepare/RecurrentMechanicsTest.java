// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Stored state and truncated backpropagation through time with quantized recurrent layers. */
class RecurrentMechanicsTest {

    private static final int EXAMPLES = 9;
    private static final int FEATURES = 4;
    private static final int STEPS = 12;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static NeuralNetConfiguration.Builder common() {
        return new NeuralNetConfiguration.Builder().seed(5).updater(new Adam(0.01));
    }

    private static LSTM lstm() {
        return new LSTM.Builder().nOut(6).build();
    }

    private static RnnOutputLayer output() {
        return new RnnOutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork prepared(BackpropType type, int length) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        common().list()
                                .layer(lstm())
                                .layer(lstm())
                                .layer(output())
                                .backpropType(type)
                                .tBPTTLength(length)
                                .setInputType(InputType.recurrent(FEATURES, STEPS))
                                .build());
        network.init();
        return Preparation.prepare(network, INT8, iterator()).network();
    }

    private static ComputationGraph preparedGraph() {
        ComputationGraph graph =
                new ComputationGraph(
                        common().graphBuilder()
                                .addInputs("in")
                                .addLayer("first", lstm(), "in")
                                .addLayer("last", output(), "first")
                                .setOutputs("last")
                                .backpropType(BackpropType.TruncatedBPTT)
                                .tBPTTLength(5)
                                .setInputTypes(InputType.recurrent(FEATURES, STEPS))
                                .build());
        graph.init();
        return Preparation.prepare(graph, INT8, iterator()).network();
    }

    private static DataSet data() {
        INDArray labels = Nd4j.zeros(EXAMPLES, Networks.CLASSES, STEPS);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int t = 0; t < STEPS; t++) {
                labels.putScalar(new int[] {i, i % Networks.CLASSES, t}, 1);
            }
        }
        return new DataSet(Networks.data(EXAMPLES, FEATURES, STEPS).getFeatures(), labels);
    }

    private static DataSetIterator iterator() {
        return new ListDataSetIterator<>(data().asList(), EXAMPLES);
    }

    private static INDArray step(INDArray sequence, int t) {
        return sequence.get(
                NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1));
    }

    @Test
    void singleStepsComputeWhatTheWholeSequenceDoes() {
        MultiLayerNetwork network = prepared(BackpropType.Standard, STEPS);
        network.fit(data());
        INDArray x = data().getFeatures();
        INDArray whole = network.output(x);
        network.rnnClearPreviousState();
        for (int t = 0; t < STEPS; t++) {
            assertEquals(step(whole, t), network.rnnTimeStep(step(x, t).dup()), "step " + t);
        }
    }

    @Test
    void aClearedStateBeginsAgainAndAStoredOneGoesOn() {
        MultiLayerNetwork network = prepared(BackpropType.Standard, STEPS);
        INDArray first = step(data().getFeatures(), 0).dup();
        network.rnnClearPreviousState();
        INDArray begun = network.rnnTimeStep(first).dup();
        assertNotEquals(begun, network.rnnTimeStep(first));
        network.rnnClearPreviousState();
        assertEquals(begun, network.rnnTimeStep(first));
    }

    @Test
    void aGraphsSingleStepsComputeWhatTheWholeSequenceDoes() {
        ComputationGraph graph = preparedGraph();
        graph.fit(data());
        INDArray x = data().getFeatures();
        INDArray whole = graph.outputSingle(x);
        graph.rnnClearPreviousState();
        for (int t = 0; t < STEPS; t++) {
            assertEquals(step(whole, t), graph.rnnTimeStep(step(x, t).dup())[0], "step " + t);
        }
    }

    @Test
    void truncationBeyondTheSequenceIsNoTruncation() {
        MultiLayerNetwork whole = prepared(BackpropType.Standard, STEPS);
        MultiLayerNetwork truncated = prepared(BackpropType.TruncatedBPTT, STEPS);
        assertEquals(whole.params(), truncated.params());
        whole.fit(data());
        truncated.fit(data());
        assertEquals(whole.params(), truncated.params());
    }

    @Test
    void truncatedPartsAreTrainedOneAfterTheOther() {
        MultiLayerNetwork network = prepared(BackpropType.TruncatedBPTT, 5);
        INDArray scales = network.getLayer(0).getParam("scaleRW").dup();
        double before = network.score(data());
        network.fit(data());
        assertEquals(3, network.getIterationCount(), "12 steps are 5, 5 and 2");
        for (int i = 0; i < 10; i++) {
            network.fit(data());
        }
        assertTrue(network.score(data()) < before);
        assertNotEquals(scales, network.getLayer(0).getParam("scaleRW"));
    }

    @Test
    void aGraphTrainsTruncatedParts() {
        ComputationGraph graph = preparedGraph();
        double before = graph.score(data());
        graph.fit(data());
        assertEquals(3, graph.getIterationCount(), "12 steps are 5, 5 and 2");
        for (int i = 0; i < 10; i++) {
            graph.fit(data());
        }
        assertTrue(graph.score(data()) < before);
    }
}
