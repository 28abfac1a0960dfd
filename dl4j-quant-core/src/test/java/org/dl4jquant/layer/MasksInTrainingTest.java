// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Training stops at a mask of sequences that does not fit, and says where. */
class MasksInTrainingTest {

    private static final int EXAMPLES = 4;
    private static final int STEPS = 5;

    private MultiLayerNetwork network;

    @BeforeEach
    void prepare() {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.recurrent(3, STEPS),
                        new LastTimeStep(
                                new LSTM.Builder().nOut(4).activation(Activation.TANH).build()),
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nOut(Networks.CLASSES)
                                .activation(Activation.IDENTITY)
                                .build());
        network =
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(data(Nd4j.ones(EXAMPLES, STEPS))));
    }

    private static DataSet data(INDArray mask) {
        INDArray features = Networks.normal(1, EXAMPLES, 3, STEPS);
        return new DataSet(features, Networks.labels(EXAMPLES), mask, null);
    }

    private void requireRefused(INDArray mask, String message) {
        INDArray before = network.params().dup();
        String found =
                assertThrows(IllegalArgumentException.class, () -> network.fit(data(mask)))
                        .getMessage();
        assertTrue(found.contains(message), found);
        assertEquals(before, network.params());
    }

    @Test
    void aMaskOfAnotherLengthIsNamed() {
        requireRefused(
                Nd4j.ones(EXAMPLES, STEPS + 1),
                "the mask of the features has the shape [4, 6], and its input has 4 examples of 5"
                        + " steps");
    }

    @Test
    void aMaskOfOtherNumbersIsNamed() {
        requireRefused(
                Nd4j.ones(EXAMPLES, STEPS).putScalar(2, 3, 0.25),
                "the mask of the features is 0.25 in example 2 at step 3");
    }

    @Test
    void aMaskOfZerosAndOnesTrains() {
        INDArray before = network.params().dup();
        network.fit(data(Nd4j.ones(EXAMPLES, STEPS).putScalar(2, 3, 0)));
        assertTrue(before.distance2(network.params()) > 0);
    }
}
