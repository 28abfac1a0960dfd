// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.distribution.UniformDistribution;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PReLUForm;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationPReLU;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Learned slopes lower to tables, and the network infers what engines compute. */
class PReLULowersTest {

    private static final int SIDE = 6;
    private static final InputType IMAGES = InputType.convolutional(SIDE, SIDE, 2);
    private static final InputType VECTORS = InputType.feedForward(5);

    /** Of a batch for each slope in DL4J's backward pass. */
    private static final int MOST_VALUES = 64;

    /** A value that is rounded once, and float32 errors of a product. */
    private static final double HALF_A_CODE = 0.5 + 1e-4;

    private static Layer convolution() {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(4)
                .padding(1, 1)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static PReLULayer slopes(long[] shape, long... shared) {
        // DL4J writes 1 into the array that it is given, for each shared axis.
        PReLULayer.Builder builder = new PReLULayer.Builder().inputShape(shape.clone());
        builder.weightInit(new UniformDistribution(-0.5, 1));
        return (shared.length == 0 ? builder : builder.sharedAxes(shared)).build();
    }

    private static OutputLayer scores() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static Stream<Arguments> networks() {
        long[] image = {4, SIDE, SIDE};
        return Stream.of(
                Arguments.of(slopes(image), 4 * SIDE * SIDE),
                Arguments.of(slopes(image, 3), 4 * SIDE),
                Arguments.of(slopes(image, 2, 3), 4),
                Arguments.of(slopes(image, 1, 2, 3), 1),
                Arguments.of(slopes(image, 1), SIDE * SIDE),
                Arguments.of(slopes(image, 2), 4 * SIDE),
                Arguments.of(slopes(image, 1, 2), SIDE),
                Arguments.of(slopes(image, 1, 3), SIDE),
                Arguments.of(slopes(new long[] {7}), 7));
    }

    private static MultiLayerNetwork prepared(PReLULayer layer, INDArray features) {
        boolean images = layer.getInputShape().length == 3;
        MultiLayerNetwork trained =
                Networks.of(
                        images ? IMAGES : VECTORS,
                        images
                                ? convolution()
                                : new DenseLayer.Builder()
                                        .nOut(7)
                                        .activation(Activation.IDENTITY)
                                        .build(),
                        layer,
                        images ? convolution() : new DenseLayer.Builder().nOut(7).build(),
                        scores());
        DataSet data = new DataSet(features, Networks.labels(16));
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
        INDArray slopes = prepared.getLayer(1).getParam("W");
        INDArray inputs = prepared.feedForward(features, false).get(1);
        // DL4J's gradient of slopes that do not fit is whatever memory held.
        boolean fit = slopes.size(0) == 1 || inputs.size(1) == slopes.size(0);
        if (fit && inputs.length() <= MOST_VALUES * slopes.length()) {
            prepared.fit(data);
        }
        return prepared;
    }

    private static INDArray features(PReLULayer layer) {
        return layer.getInputShape().length == 3
                ? Networks.normal(3, 16, 2, SIDE, SIDE)
                : Networks.normal(3, 16, 5);
    }

    @ParameterizedTest
    @MethodSource("networks")
    void theNetworkInfersWhatEnginesCompute(PReLULayer layer, int tables) {
        INDArray features = features(layer);
        MultiLayerNetwork prepared = prepared(layer, features);
        IntGraph graph = Quantization.lower(prepared);
        long found =
                graph.nodes().stream()
                        .filter(node -> node instanceof Table || node instanceof ChannelTable)
                        .filter(node -> tables == tables(node))
                        .count();
        assertEquals(1, found, graph::toString);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            assertEquals(
                    0, SimulatorCheck.between(prepared, reference).over(features).differingCodes());
            EqualityCheck.between(reference, onnx)
                    .over(List.of(EngineInputs.of(graph, features)))
                    .requireEqual();
        }
    }

    private static int tables(IntNode node) {
        return node instanceof ChannelTable channels ? channels.tables().size() : 1;
    }

    /** DL4J's own function of our slopes and inputs gives our result, within half a code. */
    @ParameterizedTest
    @MethodSource("networks")
    void theResultIsThatOfDl4jRounded(PReLULayer layer, int tables) {
        INDArray features = features(layer);
        MultiLayerNetwork prepared = prepared(layer, features);
        IntGraph graph = Quantization.lower(prepared);
        List<INDArray> activations = prepared.feedForward(features, false);
        INDArray slopes = rounded(prepared.getLayer(1).getParam("W"), prepared);
        assertEquals(tables, slopes.length());
        INDArray expected =
                new ActivationPReLU(slopes, layer.getSharedAxes())
                        .getActivation(activations.get(1).dup(), false);
        QuantParams params = output(graph);
        float[] wanted = RowMajor.floats(expected);
        float[] found = RowMajor.floats(activations.get(2));
        double least = (params.range().min() - params.zeroPoint()) * (double) params.scale();
        double most = (params.range().max() - params.zeroPoint()) * (double) params.scale();
        boolean negative = false;
        for (int i = 0; i < wanted.length; i++) {
            double clamped = Math.min(Math.max(wanted[i], least), most);
            assertEquals(clamped, found[i], HALF_A_CODE * params.scale(), "element " + i);
            negative |= wanted[i] < 0;
        }
        assertTrue(negative, "some results are negative");
    }

    private static INDArray rounded(INDArray slopes, MultiLayerNetwork prepared) {
        float scale = prepared.getLayer(1).getParam("scaleW").getFloat(0);
        float[] values = RowMajor.floats(slopes);
        for (int i = 0; i < values.length; i++) {
            double code = Math.rint(values[i] / scale);
            values[i] = (float) (Math.min(Math.max(code, -127), 127) * scale);
        }
        return RowMajor.array(values, slopes.shape());
    }

    private static QuantParams output(IntGraph graph) {
        IntNode node =
                graph.nodes().stream()
                        .filter(n -> n instanceof ChannelTable || n instanceof Table)
                        .findFirst()
                        .orElseThrow();
        return graph.type(node.name()).codes();
    }

    /** More than a node has tables, so that several nodes have parts of them. */
    @Test
    void manySlopesArePartsOfAnImage() {
        PReLULayer whole = slopes(new long[] {3, 48, 36});
        MultiLayerNetwork network =
                Networks.of(
                        InputType.convolutional(48, 36, 3),
                        whole,
                        new ConvolutionLayer.Builder(8, 8).stride(8, 8).nOut(2).build(),
                        scores());
        INDArray features = Networks.normal(3, 2, 3, 48, 36);
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(new DataSet(features, Networks.labels(2))));
        IntGraph graph = Quantization.lower(prepared);
        assertEquals(2, graph.nodes().stream().filter(ChannelTable.class::isInstance).count());
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            assertEquals(
                    0, SimulatorCheck.between(prepared, reference).over(features).differingCodes());
            EqualityCheck.between(reference, onnx)
                    .over(List.of(EngineInputs.of(graph, features)))
                    .requireEqual();
        }
    }

    @Test
    void moreSlopesThanAGraphHasTablesAreRefused() {
        IntegerSupport.Refusal refusal =
                PReLUForm.of(slopes(new long[] {65, 32, 32})).refusal().orElseThrow();
        assertEquals(
                "it has 66560 slopes, and an integer graph has at most 65536 tables for them",
                refusal.reason());
        assertEquals(
                Optional.empty(), PReLUForm.of(slopes(new long[] {65, 32, 32}, 2, 3)).refusal());
        assertEquals(Optional.empty(), PReLUForm.of(slopes(new long[] {64, 32, 32})).refusal());
    }

    /** DL4J gives 4 x 6 x 6 slopes to an image of 6 x 4 x 6, in row-major order. */
    @Test
    void slopesOfAnotherShapeAreRefused() {
        PReLULayer layer = slopes(new long[] {SIDE, 4, SIDE});
        MultiLayerNetwork prepared = prepared(layer, features(layer));
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared))
                        .getMessage();
        assertTrue(
                message.contains(
                        "layer 'layer1' cannot be lowered to integers: it reads [4x6x6], and has"
                                + " slopes of the dimensions [6, 4, 6]"),
                message);
    }

    /** The limit that docs/training.md names: 64 values of a batch for each slope. */
    @Test
    void dl4jTrainsNoSlopeOfMoreThan64Values() {
        assertEquals(List.of(7L), gradientOf(Networks.normal(3, MOST_VALUES, 7), 7));
        assertThrows(
                RuntimeException.class,
                () -> gradientOf(Networks.normal(3, MOST_VALUES + 1, 7), 7));
        assertEquals(List.of(4L, 1L, 1L), gradientOf(Networks.normal(3, 1, 4, 8, 8), 4, 1, 1));
        assertThrows(
                RuntimeException.class, () -> gradientOf(Networks.normal(3, 2, 4, 8, 8), 4, 1, 1));
    }

    /** The shape of the slopes' gradient. */
    private static List<Long> gradientOf(INDArray x, long... slopes) {
        long[] shared = slopes.length == 3 ? new long[] {2, 3} : new long[0];
        INDArray gradient =
                new ActivationPReLU(Nd4j.ones(DataType.FLOAT, slopes), shared)
                        .backprop(x, x.dup())
                        .getSecond();
        return LongStream.of(gradient.shape()).boxed().toList();
    }
}
