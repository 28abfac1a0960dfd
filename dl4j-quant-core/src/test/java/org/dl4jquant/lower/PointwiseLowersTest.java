// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Vertices that scale and shift, and layers with a weight for each feature, become tables. */
class PointwiseLowersTest {

    private static final int EXAMPLES = 12;
    private static final int SIDE = 6;
    private static final int FEATURES = 5;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    /** A value that is rounded once, and float32 errors of DL4J's line and function. */
    private static final double HALF_A_CODE = 0.5 + 1e-3;

    private static OutputLayer scores() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static ElementWiseMultiplicationLayer features(int count, Activation function) {
        return new ElementWiseMultiplicationLayer.Builder()
                .nIn(count)
                .nOut(count)
                .activation(function)
                .build();
    }

    private static Stream<Arguments> vertices() {
        return Stream.of(
                Arguments.of(new ScaleVertex(0.37), true, false),
                Arguments.of(new ScaleVertex(-1.9), true, true),
                Arguments.of(new ScaleVertex(3), false, false),
                Arguments.of(new ShiftVertex(0.61), true, true),
                Arguments.of(new ShiftVertex(-0.4), false, false));
    }

    @ParameterizedTest
    @MethodSource("vertices")
    void aVertexBecomesATable(GraphVertex vertex, boolean first, boolean rectified) {
        NeuralNetConfiguration.Builder builder = new NeuralNetConfiguration.Builder().seed(3);
        ComputationGraphConfiguration.GraphBuilder network = builder.graphBuilder().addInputs("in");
        String source = "in";
        if (!first) {
            ConvolutionLayer before =
                    new ConvolutionLayer.Builder(1, 1).nOut(2).activation(Activation.RELU).build();
            network.addLayer("before", before, source);
            source = "before";
        }
        network.addVertex("it", vertex, source);
        if (rectified) {
            network.addLayer("function", new ActivationLayer(Activation.RELU), "it");
        }
        ComputationGraph trained =
                new ComputationGraph(
                        network.addLayer(
                                        "after",
                                        new ConvolutionLayer.Builder(3, 3).nOut(4).build(),
                                        rectified ? "function" : "it")
                                .addLayer("out", scores(), "after")
                                .setOutputs("out")
                                .setInputTypes(InputType.convolutional(SIDE, SIDE, 2))
                                .build());
        trained.init();
        IntGraph graph = EqualIntegers.of(trained, INT8, Networks.data(EXAMPLES, 2, SIDE, SIDE));
        assertTrue(graph.nodes().stream().anyMatch(Table.class::isInstance), graph::toString);
    }

    @ParameterizedTest
    @EnumSource(
            value = Activation.class,
            names = {"IDENTITY", "RELU", "TANH", "MISH", "SELU"})
    void aWeightForEachFeatureBecomesATable(Activation function) {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.feedForward(FEATURES),
                        features(FEATURES, function),
                        new DenseLayer.Builder().nOut(7).activation(Activation.RELU).build(),
                        features(7, function),
                        scores());
        IntGraph graph = EqualIntegers.of(trained, INT8, Networks.data(EXAMPLES, FEATURES));
        assertEquals(
                2,
                graph.nodes().stream().filter(ChannelTable.class::isInstance).count(),
                graph::toString);
    }

    /** DL4J's own layer of our rounded weights, biases and inputs, within half a code. */
    @Test
    void theResultIsThatOfDl4jRounded() {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.feedForward(FEATURES),
                        new DenseLayer.Builder().nOut(7).activation(Activation.RELU).build(),
                        features(7, Activation.TANH),
                        scores());
        DataSet data = Networks.data(EXAMPLES, FEATURES);
        MultiLayerNetwork prepared = Quantization.prepare(trained, INT8, Networks.batches(data));
        prepared.fit(data.copy());
        MultiLayerNetwork float32 =
                Networks.of(InputType.feedForward(7), features(7, Activation.TANH), scores());
        INDArray weights = prepared.getLayer(1).getParam("W");
        float[] scales = RowMajor.floats(prepared.getLayer(1).getParam("scaleW"));
        float[] rounded = RowMajor.floats(weights);
        for (int i = 0; i < rounded.length; i++) {
            float scale = scales[scales.length == 1 ? 0 : i];
            double code = Math.rint(rounded[i] / scale);
            rounded[i] = (float) (Math.min(Math.max(code, -127), 127) * scale);
        }
        RowMajor.copyInto(rounded, float32.getLayer(0).getParam("W"));
        float32.getLayer(0).getParam("b").assign(prepared.getLayer(1).getParam("b"));
        List<INDArray> activations = prepared.feedForward(data.getFeatures(), false);
        float[] expected = RowMajor.floats(float32.feedForward(activations.get(1), false).get(1));
        float[] found = RowMajor.floats(activations.get(2));
        IntGraph graph = Quantization.lower(prepared);
        QuantParams params =
                graph.nodes().stream()
                        .filter(ChannelTable.class::isInstance)
                        .findFirst()
                        .map(node -> graph.type(node.name()).codes())
                        .orElseThrow();
        double least = (params.range().min() - params.zeroPoint()) * (double) params.scale();
        double most = (params.range().max() - params.zeroPoint()) * (double) params.scale();
        for (int i = 0; i < expected.length; i++) {
            double clamped = Math.min(Math.max(expected[i], least), most);
            assertEquals(clamped, found[i], HALF_A_CODE * params.scale(), "element " + i);
        }
    }
}
