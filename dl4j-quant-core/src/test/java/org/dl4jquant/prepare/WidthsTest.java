// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Objects;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** How many bits a tensor has: as many as the widest layer with weights that reads it wants. */
class WidthsTest {

    private static ConvolutionLayer convolution(Activation activation) {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(4)
                .convolutionMode(ConvolutionMode.Same)
                .activation(activation)
                .build();
    }

    /* stem -> a -> b, stem + b -> relu -> pool -> out */
    private static PreparedNetwork<ComputationGraph> prepared(QuantSpec spec) {
        InputType input = InputType.convolutional(6, 6, 2);
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(1)
                                .updater(new Sgd(0.01))
                                .graphBuilder()
                                .addInputs("image")
                                .setInputTypes(input)
                                .addLayer("stem", convolution(Activation.RELU), "image")
                                .addLayer("a", convolution(Activation.TANH), "stem")
                                .addLayer("b", convolution(Activation.IDENTITY), "a")
                                .addVertex(
                                        "add",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "stem",
                                        "b")
                                .addLayer(
                                        "relu",
                                        new ActivationLayer.Builder()
                                                .activation(Activation.RELU)
                                                .build(),
                                        "add")
                                .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "relu")
                                .addLayer(
                                        "out",
                                        new OutputLayer.Builder(LossFunction.MCXENT)
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.SOFTMAX)
                                                .build(),
                                        "pool")
                                .setOutputs("out")
                                .build());
        graph.init();
        return Preparation.prepare(graph, spec, Networks.batches(Networks.data(16, 2, 6, 6)));
    }

    private static LayerQuantizers quantizers(ComputationGraph network, String layer) {
        return QuantizedLayers.configuration(network.getLayer(layer)).orElseThrow().quantizers();
    }

    private static int result(ComputationGraph network, String layer) {
        return Objects.requireNonNull(quantizers(network, layer).output())
                .scheme()
                .format()
                .bitsPerNumber();
    }

    @Test
    void eachTensorIsAsWideAsItsReadersWithWeightsWant() {
        ComputationGraph network =
                prepared(QuantSpec.of(LayerScheme.ofBits(2, 2)).withFirstAndLast(LayerScheme.INT8))
                        .network();

        // Read by "a" with 2-bit weights, and by a sum.
        assertEquals(2, result(network, "stem"));
        assertEquals(2, result(network, "a"));
        // Read by a sum only.
        assertEquals(8, result(network, "b"));
        // Read by a mean only.
        assertEquals(8, result(network, "relu"));
        // Read by the last layer, which has 8 bits.
        assertEquals(8, result(network, "pool"));
    }

    @Test
    void theWidestOfSeveralReadersDecides() {
        ComputationGraph network =
                prepared(
                                QuantSpec.of(LayerScheme.ofBits(2, 2))
                                        .with(LayerSelector.named("a"), LayerScheme.ofBits(4, 5)))
                        .network();

        assertEquals(5, result(network, "stem"));
        assertEquals(2, result(network, "a"));
        assertEquals(2, result(network, "pool"));
    }

    @Test
    void whatATableReadsHas8Bits() {
        ComputationGraph network = prepared(QuantSpec.of(LayerScheme.ofBits(2, 2))).network();

        assertEquals(
                8,
                Objects.requireNonNull(quantizers(network, "a").scheme(TensorRole.PRE_ACTIVATION))
                        .scheme()
                        .format()
                        .bitsPerNumber());
    }

    @Test
    void theReportSaysWhereAResultIsWider() {
        PrepareReport report = prepared(QuantSpec.of(LayerScheme.ofBits(2, 2))).report();

        assertEquals("input from 'a', result signed, 8 bits", remark(report, "b"));
        assertEquals("rounds its input, result unsigned", remark(report, "stem"));
    }

    private static String remark(PrepareReport report, String layer) {
        return report.layer(layer).remark();
    }
}
