// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions;

class MaskTest {

    private static final int EXAMPLES = 4;

    private static MultiLayerNetwork quantized() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(6),
                        new DenseLayer.Builder()
                                .name("dense")
                                .nOut(8)
                                .biasInit(1)
                                .activation(Activation.RELU)
                                .build(),
                        new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                .name("out")
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        return Preparation.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(Networks.data(16, 6)))
                .network();
    }

    @Test
    void inferenceZeroesWhatTheFeaturesMaskHides() {
        MultiLayerNetwork network = quantized();
        DataSet data = Networks.data(EXAMPLES, 6);
        INDArray plain = network.feedForwardToLayer(0, data.getFeatures(), false).get(1);
        network.setLayerMaskArrays(Nd4j.create(new float[] {1, 0, 1, 0}, new int[] {4, 1}), null);

        INDArray masked = network.feedForwardToLayer(0, data.getFeatures(), false).get(1);

        for (int i = 0; i < EXAMPLES; i++) {
            INDArray expected = i % 2 == 0 ? plain.getRow(i) : plain.getRow(i).mul(0);
            assertEquals(expected, masked.getRow(i));
        }
        assertTrue(plain.getRow(1).sumNumber().doubleValue() > 0);
    }

    @Test
    void aMaskIsForgottenWithTheBatch() {
        MultiLayerNetwork network = quantized();
        DataSet data = Networks.data(EXAMPLES, 6);
        INDArray plain = network.output(data.getFeatures());
        network.output(data.getFeatures(), false, Nd4j.zeros(EXAMPLES, 1), null);

        assertEquals(plain, network.output(data.getFeatures()));
    }
}
