// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The running attention of three tensors in float, where it knows of no codes. */
class QuantizedAttentionVertexTest {

    private static final int EXAMPLES = 2;
    private static final int SIZE = 4;
    private static final int STEPS = 3;
    private static final int REMEMBERED = 5;

    /* Float64 sums of a few products. */
    private static final double TOLERANCE = 1e-9;

    /* Central differences of such a function have an error of about the step's square. */
    private static final double STEP = 1e-5;
    private static final double SLOPE_TOLERANCE = 1e-6;

    private static ComputationGraph network(GraphVertex attention) {
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(7)
                                .dataType(DataType.DOUBLE)
                                .updater(new NoOp())
                                .graphBuilder()
                                .addInputs("queries", "memory")
                                .setInputTypes(
                                        InputType.recurrent(SIZE, STEPS),
                                        InputType.recurrent(SIZE, REMEMBERED))
                                .addLayer("query", each(Activation.TANH), "queries")
                                .addLayer("key", each(Activation.TANH), "memory")
                                .addLayer("value", each(Activation.IDENTITY), "memory")
                                .addVertex("attention", attention, "query", "key", "value")
                                .addLayer(
                                        "out",
                                        new RnnOutputLayer.Builder(LossFunction.MSE)
                                                .nOut(2)
                                                .activation(Activation.IDENTITY)
                                                .build(),
                                        "attention")
                                .setOutputs("out")
                                .build());
        network.init();
        return network;
    }

    private static Convolution1DLayer each(Activation function) {
        return new Convolution1DLayer.Builder(1)
                .nOut(SIZE)
                .convolutionMode(ConvolutionMode.Same)
                .activation(function)
                .build();
    }

    private static QuantizedAttentionVertex inFloat(int heads) {
        return new QuantizedAttentionVertex(heads, null, null, null, null);
    }

    private static INDArray[] features() {
        Nd4j.getRandom().setSeed(9);
        return new INDArray[] {
            Nd4j.randn(DataType.DOUBLE, EXAMPLES, SIZE, STEPS),
            Nd4j.randn(DataType.DOUBLE, EXAMPLES, SIZE, REMEMBERED)
        };
    }

    @Test
    void withOneHeadItComputesWhatDl4jDoes() {
        AttentionVertex theirs =
                new AttentionVertex.Builder()
                        .nInQueries(SIZE)
                        .nInKeys(SIZE)
                        .nInValues(SIZE)
                        .nOut(SIZE)
                        .nHeads(1)
                        .projectInput(false)
                        .build();
        INDArray expected = network(theirs).output(features())[0];
        INDArray found = network(inFloat(1)).output(features())[0];
        assertTrue(expected.sub(found).amaxNumber().doubleValue() < TOLERANCE);
    }

    private static INDArray gradient(ComputationGraph network, MultiDataSet data) {
        network.setInputs(data.getFeatures());
        network.setLabels(data.getLabels());
        network.setLayerMaskArrays(data.getFeaturesMaskArrays(), data.getLabelsMaskArrays());
        network.computeGradientAndScore();
        network.clearLayerMaskArrays();
        return network.getFlattenedGradients().dup();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradientsAreThoseOfDifferences(boolean masked) {
        ComputationGraph network = network(inFloat(2));
        INDArray labels = Nd4j.rand(DataType.DOUBLE, EXAMPLES, 2, STEPS);
        MultiDataSet data = new MultiDataSet(features(), new INDArray[] {labels});
        if (masked) {
            INDArray queries = Nd4j.ones(DataType.DOUBLE, EXAMPLES, STEPS).putScalar(0, 2, 0);
            INDArray keys = Nd4j.ones(DataType.DOUBLE, EXAMPLES, REMEMBERED).putScalar(1, 1, 0);
            data.setFeaturesMaskArrays(new INDArray[] {queries, keys});
        }
        // DL4J's updater divides the sum over the batch by the examples.
        INDArray gradient = gradient(network, data).div(EXAMPLES);
        INDArray parameters = network.params();
        int slopes = 0;
        for (long i = 0; i < parameters.length(); i++) {
            double kept = parameters.getDouble(i);
            parameters.putScalar(i, kept + STEP);
            double above = network.score(data, true);
            parameters.putScalar(i, kept - STEP);
            double below = network.score(data, true);
            parameters.putScalar(i, kept);
            double slope = (above - below) / (2 * STEP);
            assertEquals(slope, gradient.getDouble(i), SLOPE_TOLERANCE, "parameter " + i);
            slopes += Math.abs(slope) > SLOPE_TOLERANCE ? 1 : 0;
        }
        assertTrue(slopes > parameters.length() / 2, slopes + " slopes are not 0");
    }

    @Test
    void refusesInputsThatDoNotFit() {
        ComputationGraph network = network(inFloat(3));
        INDArray[] features = features();
        assertEquals(
                "vertex 'attention' reads queries, keys and values of shapes [2, 4, 3], [2, 4, 5]"
                        + " and [2, 4, 5]; they must be [examples, features, steps], with as many"
                        + " examples, as many features of queries and keys, a multiple of the 3"
                        + " heads, and as many steps of keys and values",
                assertThrows(IllegalArgumentException.class, () -> network.output(features))
                        .getMessage());
    }

    @Test
    void refusesToHaveNoHead() {
        assertEquals(
                "an attention has 0 heads; it needs one or more",
                assertThrows(IllegalArgumentException.class, () -> inFloat(0)).getMessage());
    }
}
