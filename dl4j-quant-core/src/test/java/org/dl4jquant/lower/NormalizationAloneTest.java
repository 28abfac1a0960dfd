// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A batch normalization that no layer before it takes in becomes a table for each channel. */
class NormalizationAloneTest {

    private static final int EXAMPLES = 12;
    private static final int SIDE = 6;
    private static final InputType IMAGES = InputType.convolutional(SIDE, SIDE, 2);
    private static final InputType VECTORS = InputType.feedForward(5);
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    /** A value that is rounded once, and float32 errors of DL4J's line. */
    private static final double HALF_A_CODE = 0.5 + 1e-3;

    private static ConvolutionLayer convolution(CNN2DFormat format, Activation function) {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(4)
                .dataFormat(format)
                .activation(function)
                .build();
    }

    private static Layer convolution() {
        return convolution(CNN2DFormat.NCHW, Activation.RELU);
    }

    private static Layer dense() {
        return new DenseLayer.Builder().nOut(6).activation(Activation.RELU).build();
    }

    private static Layer scores() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static Layer pool() {
        return new SubsamplingLayer.Builder(PoolingType.MAX).kernelSize(2, 2).stride(1, 1).build();
    }

    private static Layer function(Activation function) {
        return new ActivationLayer(function);
    }

    private static MultiLayerNetwork images(Layer... layers) {
        return Networks.of(IMAGES, layers);
    }

    private static MultiLayerNetwork vectors(Layer... layers) {
        return Networks.of(VECTORS, layers);
    }

    private static Stream<Arguments> networks() {
        BatchNormalization locked =
                new BatchNormalization.Builder().lockGammaBeta(true).gamma(1.5).beta(0.3).build();
        BatchNormalization variance = new BatchNormalization.Builder().useLogStd(false).build();
        return Stream.of(
                Arguments.of(
                        "after a function",
                        images(convolution(), new BatchNormalization(), convolution(), scores())),
                Arguments.of(
                        "before another function",
                        images(
                                convolution(),
                                new BatchNormalization(),
                                function(Activation.TANH),
                                scores())),
                Arguments.of(
                        "before a ReLU",
                        images(
                                pool(),
                                new BatchNormalization(),
                                function(Activation.RELU),
                                scores())),
                Arguments.of("first", images(new BatchNormalization(), convolution(), scores())),
                Arguments.of(
                        "after a pool",
                        images(convolution(), pool(), new BatchNormalization(), dense(), scores())),
                Arguments.of(
                        "two in a row",
                        images(
                                convolution(),
                                new BatchNormalization(),
                                new BatchNormalization(),
                                scores())),
                Arguments.of("locked", images(convolution(), locked, dense(), scores())),
                Arguments.of("by its variance", images(convolution(), variance, dense(), scores())),
                Arguments.of(
                        "of vectors, before the output",
                        vectors(dense(), new BatchNormalization(), scores())),
                Arguments.of(
                        "first of vectors",
                        vectors(new BatchNormalization(), dense(), dense(), scores())),
                Arguments.of(
                        "last",
                        vectors(
                                new DenseLayer.Builder()
                                        .nOut(Networks.CLASSES)
                                        .activation(Activation.RELU)
                                        .build(),
                                new BatchNormalization(),
                                new LossLayer.Builder(LossFunction.MSE)
                                        .activation(Activation.IDENTITY)
                                        .build())));
    }

    private static DataSet data(String name) {
        return name.contains("vectors") || name.equals("last")
                ? Networks.data(EXAMPLES, 5)
                : Networks.data(EXAMPLES, 2, SIDE, SIDE);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void theNetworkInfersWhatEnginesCompute(String name, MultiLayerNetwork trained) {
        trained.fit(data(name));
        IntGraph graph = EqualIntegers.of(trained, INT8, data(name));
        assertTrue(tables(graph) > 0, graph::toString);
    }

    private static long tables(IntGraph graph) {
        return graph.nodes().stream().filter(ChannelTable.class::isInstance).count();
    }

    @Test
    void oneAfterASumIsATable() {
        ComputationGraphConfiguration conf =
                new NeuralNetConfiguration.Builder()
                        .seed(3)
                        .graphBuilder()
                        .addInputs("in")
                        .addLayer("a", convolution(), "in")
                        .addLayer("b", convolution(), "in")
                        .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "b")
                        .addLayer("normalized", new BatchNormalization(), "sum")
                        .addLayer("function", function(Activation.RELU), "normalized")
                        .addLayer("out", scores(), "function")
                        .setOutputs("out")
                        .setInputTypes(IMAGES)
                        .build();
        ComputationGraph trained = new ComputationGraph(conf);
        trained.init();
        IntGraph graph = EqualIntegers.of(trained, INT8, Networks.data(EXAMPLES, 2, SIDE, SIDE));
        assertEquals(1, tables(graph), graph::toString);
    }

    @Test
    void theChannelsMayBeLast() {
        InputType last = InputType.convolutional(SIDE, SIDE, 2, CNN2DFormat.NHWC);
        MultiLayerNetwork trained =
                Networks.of(
                        last,
                        convolution(CNN2DFormat.NHWC, Activation.RELU),
                        new BatchNormalization.Builder().dataFormat(CNN2DFormat.NHWC).build(),
                        convolution(CNN2DFormat.NHWC, Activation.RELU),
                        scores());
        IntGraph graph = EqualIntegers.of(trained, INT8, Networks.data(EXAMPLES, SIDE, SIDE, 2));
        assertEquals(1, tables(graph), graph::toString);
    }

    /** DL4J's own layer of our parameters and inputs gives our result, within half a code. */
    @Test
    void theResultIsThatOfDl4jRounded() {
        MultiLayerNetwork trained =
                images(convolution(), new BatchNormalization(), convolution(), scores());
        DataSet data = Networks.data(EXAMPLES, 2, SIDE, SIDE);
        MultiLayerNetwork prepared = Quantization.prepare(trained, INT8, Networks.batches(data));
        INDArray before = prepared.getLayer(1).getParam("mean").dup();
        prepared.fit(data.copy());
        assertNotEquals(before, prepared.getLayer(1).getParam("mean"));
        MultiLayerNetwork float32 = images(convolution(), new BatchNormalization(), scores());
        float32.getLayer(1)
                .paramTable()
                .forEach((key, values) -> values.assign(prepared.getLayer(1).getParam(key)));
        List<INDArray> activations = prepared.feedForward(data.getFeatures(), false);
        INDArray expected =
                float32.getLayer(1)
                        .activate(
                                activations.get(1).dup(), false, LayerWorkspaceMgr.noWorkspaces());
        IntGraph graph = Quantization.lower(prepared);
        QuantParams params = output(graph);
        float[] wanted = RowMajor.floats(expected);
        float[] found = RowMajor.floats(activations.get(2));
        double least = (params.range().min() - params.zeroPoint()) * (double) params.scale();
        double most = (params.range().max() - params.zeroPoint()) * (double) params.scale();
        for (int i = 0; i < wanted.length; i++) {
            double clamped = Math.min(Math.max(wanted[i], least), most);
            assertEquals(clamped, found[i], HALF_A_CODE * params.scale(), "element " + i);
        }
    }

    private static QuantParams output(IntGraph graph) {
        IntNode node =
                graph.nodes().stream()
                        .filter(ChannelTable.class::isInstance)
                        .findFirst()
                        .orElseThrow();
        return graph.type(node.name()).codes();
    }

    /** Nothing after it computes with codes, so it stays in float, and its function with it. */
    @Test
    void oneWithoutReadersOfCodesKeepsItsFunction() {
        MultiLayerNetwork trained =
                vectors(dense(), new BatchNormalization(), function(Activation.RELU), scores());
        QuantSpec spec = INT8.with(LayerSelector.named("layer3"), LayerScheme.FLOAT);
        DataSet data = Networks.data(EXAMPLES, 5);
        MultiLayerNetwork prepared = Quantization.prepare(trained, spec, Networks.batches(data));
        assertEquals(4, prepared.getnLayers());
        assertTrue(
                prepared.feedForward(data.getFeatures(), false).get(3).minNumber().doubleValue()
                        >= 0);
    }

    @Test
    void oneThatARuleLeavesInFloatIsRefused() {
        MultiLayerNetwork trained =
                images(convolution(), new BatchNormalization(), convolution(), scores());
        QuantSpec spec = INT8.with(LayerSelector.named("layer1"), LayerScheme.FLOAT);
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        trained, spec, Networks.batches(Networks.data(EXAMPLES, 2, SIDE, SIDE)));
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared))
                        .getMessage();
        assertTrue(message.contains("this BatchNormalization computes in float"), message);
    }
}
