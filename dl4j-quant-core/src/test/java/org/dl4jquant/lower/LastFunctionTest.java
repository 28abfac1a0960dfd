// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.ActivationFunctions;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.layer.integer.OutputFunctions;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.ElementwiseFunction.Fixed;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** An engine returns the result of the network's output, the last function included. */
class LastFunctionTest {

    static final int EXAMPLES = 9;
    static final int FEATURES = 7;
    static final int RESULTS = 4;
    static final int SIDE = 5;

    /** Of the float network's largest value: 8 bits in two layers lose less than that. */
    private static final double QUANTIZATION = 0.06;

    @TempDir private Path folder;

    static DenseLayer dense(IActivation activation) {
        return new DenseLayer.Builder().nOut(RESULTS).activation(activation).build();
    }

    static DenseLayer hidden() {
        return new DenseLayer.Builder().nOut(6).activation(Activation.RELU).build();
    }

    private static OutputLayer output(IActivation activation) {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(RESULTS)
                .activation(activation)
                .build();
    }

    private static LossLayer loss(Activation activation) {
        return new LossLayer.Builder(LossFunction.MSE).activation(activation).build();
    }

    static CnnLossLayer pixels(Activation activation) {
        return new CnnLossLayer.Builder(LossFunction.MSE).activation(activation).build();
    }

    static ConvolutionLayer convolution(IActivation activation) {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(RESULTS)
                .convolutionMode(ConvolutionMode.Same)
                .activation(activation)
                .build();
    }

    static SubsamplingLayer pool(PoolingType type) {
        return new SubsamplingLayer.Builder(type).kernelSize(2, 2).stride(1, 1).build();
    }

    private static IActivation of(Activation activation) {
        return activation.getActivationFunction();
    }

    private static MultiLayerNetwork network(InputType input, Layer... layers) {
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(5).updater(new Sgd(0.01)).list();
        for (Layer layer : layers) {
            list.layer(layer);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
        network.init();
        return network;
    }

    private static MultiLayerNetwork vectors(Layer... layers) {
        return network(InputType.feedForward(FEATURES), layers);
    }

    static MultiLayerNetwork images(Layer... layers) {
        return network(InputType.convolutional(SIDE, SIDE, 2), layers);
    }

    static Stream<Arguments> networks() {
        IActivation tanh = of(Activation.TANH);
        IActivation none = new ActivationIdentity();
        return Stream.of(
                Arguments.of("Dense(RELU)", vectors(hidden(), dense(of(Activation.RELU)))),
                Arguments.of("Dense(SOFTMAX)", vectors(hidden(), dense(of(Activation.SOFTMAX)))),
                Arguments.of(
                        "Dense(TANH), loss",
                        vectors(hidden(), dense(tanh), loss(Activation.IDENTITY))),
                Arguments.of(
                        "Dense(TANH), softmax",
                        vectors(hidden(), dense(tanh), loss(Activation.SOFTMAX))),
                Arguments.of(
                        "Dense(TANH), ReLU", vectors(hidden(), dense(tanh), loss(Activation.RELU))),
                Arguments.of(
                        "Dense(RELU), sigmoid",
                        vectors(hidden(), dense(of(Activation.RELU)), loss(Activation.SIGMOID))),
                Arguments.of(
                        "Dense(LEAKYRELU), ReLU6",
                        vectors(hidden(), dense(of(Activation.LEAKYRELU)), loss(Activation.RELU6))),
                Arguments.of(
                        "Dense, ActivationLayer",
                        vectors(hidden(), dense(none), new ActivationLayer(tanh))),
                Arguments.of(
                        "Dense(RELU), ActivationLayer, loss",
                        vectors(
                                dense(of(Activation.RELU)),
                                new ActivationLayer(tanh),
                                loss(Activation.SOFTMAX))),
                Arguments.of(
                        "Conv(SIGMOID), pixel loss",
                        images(convolution(of(Activation.SIGMOID)), pixels(Activation.IDENTITY))),
                Arguments.of(
                        "Conv, pixel softmax",
                        images(convolution(none), pixels(Activation.SOFTMAX))),
                Arguments.of(
                        "Conv(RELU), global average, softmax",
                        images(
                                convolution(of(Activation.RELU)),
                                new GlobalPoolingLayer(PoolingType.AVG),
                                loss(Activation.SOFTMAX))),
                Arguments.of(
                        "Conv(TANH), global maximum, dropout, ReLU, sigmoid",
                        images(
                                convolution(tanh),
                                new GlobalPoolingLayer(PoolingType.MAX),
                                new DropoutLayer(0.5),
                                new ActivationLayer(Activation.RELU),
                                loss(Activation.SIGMOID))),
                Arguments.of(
                        "Conv, average pool, pixel softmax",
                        images(
                                convolution(none),
                                pool(PoolingType.AVG),
                                pixels(Activation.SOFTMAX))),
                Arguments.of(
                        "Conv, maximum pool, pixel loss",
                        images(
                                convolution(none),
                                pool(PoolingType.MAX),
                                pixels(Activation.IDENTITY))),
                Arguments.of("Conv(SOFTMAX)", images(convolution(of(Activation.SOFTMAX)))),
                Arguments.of(
                        "Conv, normalization, ActivationLayer, pixel loss",
                        images(
                                convolution(none),
                                new BatchNormalization(),
                                new ActivationLayer(of(Activation.SIGMOID)),
                                pixels(Activation.IDENTITY))),
                Arguments.of(
                        "Conv(RELU), Conv(SIGMOID), loss over the flat image",
                        images(
                                convolution(of(Activation.RELU)),
                                convolution(of(Activation.SIGMOID)),
                                dense(of(Activation.RELU)),
                                loss(Activation.SIGMOID))));
    }

    static INDArray features(MultiLayerNetwork network) {
        Nd4j.getRandom().setSeed(3);
        boolean image = network.getLayer(0).conf().getLayer() instanceof ConvolutionLayer;
        return image ? Nd4j.randn(EXAMPLES, 2, SIDE, SIDE) : Nd4j.randn(EXAMPLES, FEATURES);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void everyEngineReturnsWhatOutputReturns(String name, MultiLayerNetwork trained)
            throws IOException {
        INDArray features = features(trained);
        INDArray expected = trained.output(features);
        DataSet data = new DataSet(features, expected);
        MultiLayerNetwork network =
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data));
        INDArray output = network.output(features);
        requireNear(name, expected, output);
        IntGraph graph = Quantization.lower(network);
        assertEquals(
                List.of(network.getLayerNames().get(network.getnLayers() - 1)), graph.outputs());
        requireSame(graph, features, output);
        try (Engine engine = Engine.open("reference", graph)) {
            requireSame(SimulatorCheck.between(network, engine).over(features));
        }
        File file = folder.resolve("network.zip").toFile();
        network.save(file);
        assertArrayEquals(
                RowMajor.floats(output),
                RowMajor.floats(MultiLayerNetwork.load(file, true).output(features)));
    }

    static void requireNear(String name, INDArray expected, INDArray found) {
        double most = expected.sub(found).amaxNumber().doubleValue();
        double largest = expected.amaxNumber().doubleValue();
        assertTrue(most <= QUANTIZATION * largest, name + ": " + most + " of " + largest);
    }

    private static void requireSame(SimulatorReport report) {
        assertEquals(0, report.differingCodes(), report::toString);
        assertEquals(0, report.differingOutputs(), report::toString);
        assertEquals(0, report.top1Changed(), report::toString);
        assertTrue(report.values() > 0, report::toString);
    }

    /* Both engines, the file, and the file's float tail. */
    static void requireSame(IntGraph graph, INDArray features, INDArray... outputs) {
        Map<String, Batch.Floats> inputs = EngineInputs.of(graph, features);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnxRuntime).over(inputs).requireEqual();
            for (Engine engine : List.of(reference, onnxRuntime)) {
                Map<String, Batch> results = engine.run(inputs);
                for (int i = 0; i < outputs.length; i++) {
                    Batch.Floats values = (Batch.Floats) results.get(graph.outputs().get(i));
                    assertArrayEquals(RowMajor.floats(outputs[i]), values.values());
                }
            }
        }
        for (OnnxWriter.Results results : OnnxWriter.Results.values()) {
            assertEquals(
                    graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph, results), "written"));
        }
    }

    static Stream<IActivation> functions() {
        return ActivationFunctions.all()
                .filter(function -> OutputFunctions.of(function, 0).isPresent());
    }

    @Test
    void outputLayersOfEveryFunctionAreExact() {
        functions().forEach(LastFunctionTest::requireExactOutputLayer);
    }

    private static void requireExactOutputLayer(IActivation function) {
        MultiLayerNetwork trained = vectors(output(function));
        INDArray features = features(trained);
        INDArray expected = trained.output(features);
        MultiLayerNetwork network =
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(new DataSet(features, expected)));
        IntGraph graph = Quantization.lower(network);
        INDArray output = network.output(features);
        Map<String, Batch.Floats> inputs = EngineInputs.of(graph, features);
        try (Engine engine = Engine.open("reference", graph)) {
            Batch.Floats values = (Batch.Floats) engine.run(inputs).values().iterator().next();
            assertArrayEquals(
                    RowMajor.floats(output), values.values(), () -> "output of " + function);
        }
        // Training goes on as DL4J has it.
        network.fit(new DataSet(features, expected));
    }

    static GraphBuilder builder() {
        return new NeuralNetConfiguration.Builder()
                .seed(6)
                .updater(new Sgd(0.01))
                .graphBuilder()
                .addInputs("in");
    }

    /** A graph's outputs in an order that is not the layers': pixels, classes, raw values. */
    private static ComputationGraph manyOutputs() {
        ComputationGraph network =
                new ComputationGraph(
                        builder()
                                .setInputTypes(InputType.convolutional(SIDE, SIDE, 2))
                                .addLayer("a", convolution(of(Activation.RELU)), "in")
                                .addLayer("raw", dense(of(Activation.RELU)), "a")
                                .addLayer("classes", output(of(Activation.SOFTMAX)), "a")
                                .addLayer("head", dense(of(Activation.TANH)), "a")
                                .addLayer("some", loss(Activation.SOFTMAX), "head")
                                .addLayer("other", loss(Activation.SIGMOID), "head")
                                .addLayer("maps", convolution(new ActivationIdentity()), "a")
                                .addLayer("pixels", pixels(Activation.SIGMOID), "maps")
                                .setOutputs("pixels", "other", "classes", "raw", "some")
                                .build());
        network.init();
        return network;
    }

    @Test
    void severalOutputsEachHaveTheirFunctionAndTheirName() {
        ComputationGraph trained = manyOutputs();
        Nd4j.getRandom().setSeed(4);
        INDArray features = Nd4j.randn(EXAMPLES, 2, SIDE, SIDE);
        INDArray[] expected = trained.output(features);
        ComputationGraph network =
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonMultiDataSetIterator(
                                new org.nd4j.linalg.dataset.MultiDataSet(
                                        new INDArray[] {features}, expected)));
        INDArray[] outputs = network.output(features);
        for (int i = 0; i < outputs.length; i++) {
            requireNear("output " + i, expected[i], outputs[i]);
        }
        IntGraph graph = Quantization.lower(network);
        assertEquals(List.of("pixels", "other", "classes", "raw", "some"), graph.outputs());
        assertEquals(
                Map.of(
                        "pixels", List.of(new OutputFunction.Pointwise(Fixed.SIGMOID)),
                        "other",
                                List.of(
                                        new OutputFunction.Pointwise(Fixed.TANH),
                                        new OutputFunction.Pointwise(Fixed.SIGMOID)),
                        "classes", List.of(new OutputFunction.Softmax(0)),
                        "some",
                                List.of(
                                        new OutputFunction.Pointwise(Fixed.TANH),
                                        new OutputFunction.Softmax(0))),
                graph.functions());
        requireSame(graph, features, outputs);
        try (Engine engine = Engine.open("reference", graph)) {
            requireSame(SimulatorCheck.between(network, engine).over(features));
        }
    }

    @Test
    void clampsAreNodesAndScoresStayAvailable() {
        MultiLayerNetwork trained = vectors(hidden(), output(of(Activation.SOFTMAX)));
        INDArray features = features(trained);
        DataSet data = new DataSet(features, trained.output(features));
        MultiLayerNetwork network =
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data));
        IntGraph graph = Quantization.lower(network);
        Map<String, Batch.Floats> inputs = EngineInputs.of(graph, features);
        try (Engine engine = Engine.open("reference", graph);
                Engine scores = Engine.open("reference", graph.scores())) {
            float[] traced = ((Batch.Floats) engine.trace(inputs).get("layer1")).values();
            float[] values = ((Batch.Floats) engine.run(inputs).get("layer1")).values();
            assertArrayEquals(traced, ((Batch.Floats) scores.run(inputs).get("layer1")).values());
            new OutputFunction.Softmax(0)
                    .applyInPlace(traced, EXAMPLES, graph.type("layer1").shape());
            assertArrayEquals(traced, values);
        }
        assertFalse(graph.nodes().stream().anyMatch(Rectify.class::isInstance));
        assertTrue(
                graphOf(vectors(hidden(), output(of(Activation.RELU)))).nodes().stream()
                        .anyMatch(Rectify.class::isInstance));
    }

    private static IntGraph graphOf(MultiLayerNetwork trained) {
        INDArray features = features(trained);
        DataSet data = new DataSet(features, trained.output(features));
        return Quantization.lower(
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data)));
    }

    /** A user's own function. */
    private static final class Doubled extends ActivationReLU {
        private static final long serialVersionUID = 1L;

        @Override
        public INDArray getActivation(INDArray in, boolean training) {
            return super.getActivation(in, training).muli(2);
        }
    }

    @Test
    void refusesAFunctionWithoutExactFormByName() {
        String end =
                "there is no exact form of its activation function "
                        + Doubled.class.getName()
                        + "; use one of DL4J's own, or the identity, and apply the function to what"
                        + " the engine returns";
        String start = "layer 'layer1' cannot be lowered to integers: ";
        for (Layer last :
                List.of(
                        output(new Doubled()),
                        dense(new Doubled()),
                        new ActivationLayer(new Doubled()))) {
            MultiLayerNetwork trained = vectors(dense(new ActivationTanH()), last);
            assertEquals(
                    start + end,
                    assertThrows(LoweringException.class, () -> graphOf(trained)).getMessage());
        }
    }
}
