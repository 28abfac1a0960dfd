// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A step that repeats as often as an input has steps needs their number, and that input's mask. */
class RepeatedStepsTest {

    private static final int STEPS = 5;

    private static ComputationGraph prepared(boolean byVertex) {
        var builder = new NeuralNetConfiguration.Builder().seed(3).graphBuilder().addInputs("in");
        if (byVertex) {
            builder.addLayer("reader", new LSTM.Builder().nOut(4).build(), "in")
                    .addVertex("last", new LastTimeStepVertex("in"), "reader");
        } else {
            builder.addLayer("last", new LastTimeStep(new LSTM.Builder().nOut(4).build()), "in");
        }
        builder.addVertex("repeated", new DuplicateToTimeSeriesVertex("in"), "last")
                .addLayer(
                        "writer", new LastTimeStep(new LSTM.Builder().nOut(4).build()), "repeated")
                .addLayer(
                        "out",
                        new OutputLayer.Builder(LossFunction.MSE)
                                .activation(Activation.IDENTITY)
                                .nOut(2)
                                .build(),
                        "writer")
                .setOutputs("out")
                .setInputTypes(InputType.recurrent(3, STEPS));
        ComputationGraph network = new ComputationGraph(builder.build());
        network.init();
        return Quantization.prepare(
                network,
                QuantSpec.of(LayerScheme.INT8),
                new SingletonDataSetIterator(
                        new DataSet(Nd4j.randn(6, 3, STEPS), Nd4j.randn(6, 2))));
    }

    private static String refusal(ComputationGraph network, LoweringOptions options) {
        return assertThrows(LoweringException.class, () -> Quantization.lower(network, options))
                .obstacles()
                .toString();
    }

    @Test
    void isRefusedForAnyNumberOfSteps() {
        String message = refusal(prepared(true), LoweringOptions.DEFAULT.withFreeSteps(true));
        assertTrue(
                message.contains(
                        "'repeated' cannot be lowered to integers: it repeats as often as 'in' has"
                                + " steps, whose number is free; lower the network with a fixed"
                                + " number of steps"),
                message);
    }

    @Test
    void isRefusedWithMasks() {
        String message = refusal(prepared(false), LoweringOptions.DEFAULT.withMasks(true));
        assertTrue(
                message.contains(
                        "'repeated' cannot be lowered to integers: it repeats its input as often as"
                                + " 'in' has steps, whose mask its integer form does not hand on"),
                message);
    }
}
