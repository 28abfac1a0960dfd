// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class CalibrationRangeTest {

    private static PrepareReport report(INDArray left, INDArray right) {
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .graphBuilder()
                                .addInputs("left", "right")
                                .setInputTypes(InputType.feedForward(3), InputType.feedForward(3))
                                .addVertex("both", new MergeVertex(), "left", "right")
                                .addLayer(
                                        "out",
                                        new OutputLayer.Builder(LossFunction.MSE)
                                                .nOut(2)
                                                .activation(Activation.IDENTITY)
                                                .build(),
                                        "both")
                                .setOutputs("out")
                                .build());
        network.init();
        return Preparation.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonMultiDataSetIterator(
                                new MultiDataSet(
                                        new INDArray[] {left, right},
                                        new INDArray[] {Nd4j.zeros(4, 2)})))
                .report();
    }

    @Test
    void refusesDataThatAreZeroEverywhere() {
        assertEquals(
                "the calibration data are 0 everywhere at input 1, so that no scale can be found"
                        + " for it: every other value would be clipped; give examples like those"
                        + " the network was trained on",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> report(Nd4j.randn(4, 3), Nd4j.zeros(4, 3)))
                        .getMessage());
    }

    @Test
    void warnsOfDataThatAreConstant() {
        PrepareReport report = report(Nd4j.ones(4, 3).muli(2.5), Nd4j.randn(4, 3));
        String warning =
                "the calibration data are 2.5 everywhere at input 'left': larger values will be"
                        + " clipped; give examples like those the network was trained on";
        assertEquals(List.of(warning), report.warnings());
        assertTrue(report.toString().endsWith("warning: " + warning), report::toString);
    }

    @Test
    void saysNothingOfDataThatVary() {
        assertEquals(List.of(), report(Nd4j.randn(4, 3), Nd4j.randn(4, 3)).warnings());
    }
}
