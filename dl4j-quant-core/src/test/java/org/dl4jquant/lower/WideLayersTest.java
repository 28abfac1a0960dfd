// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers of 16 bits, alone and among layers of 8: the same integers everywhere. */
class WideLayersTest {

    /** Two convolutions around a max pool, and two dense layers, of which the first is narrow. */
    private static MultiLayerNetwork network() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(7)
                                .updater(new Sgd(0.01))
                                .activation(Activation.IDENTITY)
                                .list(
                                        new ConvolutionLayer.Builder(3, 3)
                                                .name("first")
                                                .nOut(4)
                                                .padding(1, 1)
                                                .activation(Activation.RELU)
                                                .build(),
                                        new SubsamplingLayer.Builder()
                                                .kernelSize(2, 2)
                                                .stride(2, 2)
                                                .build(),
                                        new ConvolutionLayer.Builder(3, 3)
                                                .name("second")
                                                .nOut(5)
                                                .build(),
                                        new BatchNormalization.Builder().name("norm").build(),
                                        new DenseLayer.Builder()
                                                .name("third")
                                                .nOut(9)
                                                .activation(Activation.TANH)
                                                .build(),
                                        new DenseLayer.Builder()
                                                .name("fourth")
                                                .nOut(8)
                                                .activation(Activation.RELU)
                                                .build(),
                                        new OutputLayer.Builder(LossFunction.MCXENT)
                                                .name("out")
                                                .nOut(TestNetworks.CLASSES)
                                                .activation(Activation.SOFTMAX)
                                                .build())
                                .setInputType(
                                        InputType.convolutional(
                                                TestNetworks.SIDE, TestNetworks.SIDE, 2))
                                .build());
        network.init();
        return network;
    }

    private static DataSet data() {
        return TestNetworks.images(8, 2, 3);
    }

    private static QuantSpec wide(String... names) {
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
        for (String name : names) {
            spec = spec.with(LayerSelector.named(name), LayerScheme.INT16);
        }
        return spec;
    }

    /* The nodes whose codes have 16 bits. */
    private static List<String> wideNodes(IntGraph graph) {
        return graph.nodes().stream()
                .map(IntNode::name)
                .filter(name -> graph.type(name).isCodes())
                .filter(name -> graph.type(name).codes().range().isWide())
                .collect(Collectors.toList());
    }

    private static IntGraph checked(QuantSpec spec) {
        IntGraph graph = EqualIntegers.of(network(), spec, data());
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "graph"));
        return graph;
    }

    @Test
    void aNetworkOfSixteenBitsComputesTheSameIntegersEverywhere() {
        IntGraph graph = checked(QuantSpec.of(LayerScheme.INT16));
        assertTrue(wideNodes(graph).size() >= 5, () -> wideNodes(graph).toString());
    }

    @Test
    void aProtectedLayerReadsSixteenBitsAndItsResultHasThoseOfItsReaders() {
        for (String name : List.of("first", "second", "third", "fourth", "out")) {
            IntGraph graph = checked(wide(name));
            assertTrue(
                    wideNodes(graph).stream().noneMatch(name::equals),
                    () -> name + ": " + wideNodes(graph));
        }
    }
}
