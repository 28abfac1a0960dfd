// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The output layer of one-class networks is refused, and what is advised computes the same. */
class OneClassLayerTest {

    private static MultiLayerNetwork network(Layer... layers) {
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(2).list();
        list.layer(new DenseLayer.Builder().nIn(6).nOut(5).activation(Activation.RELU).build());
        for (Layer layer : layers) {
            list.layer(layer);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(list.build());
        network.init();
        return network;
    }

    @Test
    void whatTheRefusalAdvisesComputesTheSameScoreAndLowers() {
        MultiLayerNetwork oneClass =
                network(
                        new OCNNOutputLayer.Builder()
                                .nIn(5)
                                .hiddenLayerSize(4)
                                .activation(Activation.SIGMOID)
                                .name("score")
                                .build());
        INDArray x = Nd4j.rand(8, 6);
        SingletonDataSetIterator data =
                new SingletonDataSetIterator(new DataSet(x, Nd4j.ones(8, 1)));
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
        MultiLayerNetwork prepared = Quantization.prepare(oneClass, spec, data);
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared))
                        .getMessage();
        assertTrue(message.contains("'score'") && message.contains("put a DenseLayer"), message);

        MultiLayerNetwork advised =
                network(
                        new DenseLayer.Builder()
                                .nIn(5)
                                .nOut(4)
                                .hasBias(false)
                                .activation(Activation.SIGMOID)
                                .build(),
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nIn(4)
                                .nOut(1)
                                .hasBias(false)
                                .activation(Activation.IDENTITY)
                                .build());
        advised.getLayer(0).setParams(oneClass.getLayer(0).params().dup());
        advised.setParam("1_W", oneClass.getParam("1_v"));
        advised.setParam("2_W", oneClass.getParam("1_w"));
        assertTrue(oneClass.output(x).reshape(8, 1).equalsWithEps(advised.output(x), 1e-6));
        MultiLayerNetwork quantized = Quantization.prepare(advised, spec, data);
        assertEquals(1, Quantization.lower(quantized).outputs().size());
    }
}
