// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jquant.Quantization;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * What a layer, vertex or preprocessor is, is decided by its exact class, with what freezes it
 * looked through: a user's subclass is not taken for its parent, and a frozen layer is.
 */
class StrangersTest {

    /**
     * The signal-to-noise ratio in decibels that 8 bits for weights and activations keep in
     * networks of two or three layers; without a layer, or with negative values cut off, there are
     * less than 15 left.
     */
    private static final double KEPT = 28;

    private static final int SIDE = 6;
    private static final int EXAMPLES = 32;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final InputType IMAGES = InputType.convolutional(SIDE, SIDE, 2);

    private static final DataSet VECTORS =
            new DataSet(Networks.normal(5, EXAMPLES, 4), Networks.labels(EXAMPLES));
    private static final DataSet PICTURES =
            new DataSet(Networks.normal(6, EXAMPLES, 2, SIDE, SIDE), Networks.labels(EXAMPLES));

    private static DenseLayer dense(Activation activation) {
        return new DenseLayer.Builder().nOut(5).activation(activation).build();
    }

    private static Layer convolution(Activation activation) {
        return new ConvolutionLayer.Builder(3, 3).nOut(3).activation(activation).build();
    }

    /** Scores, so that errors are seen. */
    private static OutputLayer scores() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static Layer pool(PoolingType type) {
        return new SubsamplingLayer.Builder(type).kernelSize(2, 2).stride(2, 2).build();
    }

    private static DataSetIterator batches(DataSet data) {
        return Networks.batches(data);
    }

    private static void requireKept(INDArray wanted, INDArray found) {
        double noise = Math.pow(wanted.sub(found).norm2Number().doubleValue(), 2);
        double signal = Math.pow(wanted.norm2Number().doubleValue(), 2);
        double decibels = 10 * Math.log10(signal / noise);
        assertTrue(decibels > KEPT, () -> "only " + decibels + " dB are left");
    }

    // ---- layers
    // ----------------------------------------------------------------------------------

    /** Networks whose layer 1 is a stranger. */
    private static Stream<List<Layer>> strangers() {
        return Stream.of(
                List.of(
                        dense(Activation.RELU),
                        new Strangers.Dense(5, 5, new ActivationIdentity()),
                        new BatchNormalization.Builder().build(),
                        new ActivationLayer(Activation.RELU),
                        scores()),
                List.of(
                        dense(Activation.RELU),
                        new Strangers.Dense(5, 5, new ActivationReLU()),
                        scores()),
                List.of(
                        dense(Activation.RELU),
                        new Strangers.Dense(5, 5, new ActivationReLU()),
                        new DropoutLayer(0.5),
                        scores()),
                List.of(
                        dense(Activation.IDENTITY),
                        new Strangers.Activation(new ActivationReLU()),
                        scores()),
                List.of(
                        dense(Activation.RELU),
                        new Strangers.Activation(new ActivationIdentity()),
                        scores()),
                List.of(dense(Activation.RELU), new Strangers.Dropout(), scores()));
    }

    private static Stream<List<Layer>> strangersOfImages() {
        return Stream.of(
                List.of(
                        convolution(Activation.RELU),
                        new Strangers.Pool(PoolingType.MAX),
                        scores()),
                List.of(
                        convolution(Activation.RELU),
                        new Strangers.Pool(PoolingType.AVG),
                        scores()));
    }

    private static List<Layer> clones(List<Layer> layers) {
        return layers.stream().map(Layer::clone).toList();
    }

    private static void requireKept(List<Layer> layers, InputType input, DataSet data) {
        MultiLayerNetwork network = Networks.of(input, clones(layers).toArray(Layer[]::new));
        shake(network);
        var prepared = Preparation.prepare(network, INT8, batches(data));
        int steps = prepared.network().getnLayers();
        assertEquals(layers.size() - functionsOfNormalizations(layers), steps);
        assertFalse(prepared.report().layers().get(1).quantized());
        assertTrue(prepared.report().layers().get(1).remark().contains("a subclass"));
        LayerQuantizers last =
                QuantizedLayers.configuration(prepared.network().getLayer(steps - 1))
                        .orElseThrow()
                        .quantizers();
        if (layers.size() == 3) {
            assertNull(last.inputFrom());
            assertTrue(last.input().signed());
        }
        requireKept(
                network.output(data.getFeatures()), prepared.network().output(data.getFeatures()));
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared.network()))
                        .getMessage();
        assertTrue(message.contains("layer1"), message);
    }

    /* A batch normalization that no layer takes in is one step with the function after it. */
    private static long functionsOfNormalizations(List<Layer> layers) {
        return IntStream.range(1, layers.size())
                .filter(i -> layers.get(i - 1) instanceof BatchNormalization)
                .filter(i -> layers.get(i).getClass() == ActivationLayer.class)
                .count();
    }

    /** Gives batch normalizations statistics of their own, and biases values. */
    private static void shake(MultiLayerNetwork network) {
        network.params().addi(Networks.normal(8, network.params().shape()).muli(0.05));
        for (org.deeplearning4j.nn.api.Layer layer : network.getLayers()) {
            if (layer.conf().getLayer() instanceof BatchNormalization) {
                layer.getParam("log10stdev").assign(0.3);
                layer.getParam("mean").assign(1);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("strangers")
    void aSubclassIsNotTakenForItsParent(List<Layer> layers) {
        requireKept(layers, InputType.feedForward(4), VECTORS);
    }

    @ParameterizedTest
    @MethodSource("strangersOfImages")
    void aSubclassOfImagesIsNotTakenForItsParent(List<Layer> layers) {
        requireKept(layers, IMAGES, PICTURES);
    }

    @Test
    void aSubclassInsideAWrapperIsNotTakenForItsParent() {
        DataSet sequences =
                new DataSet(
                        Networks.normal(7, 8, 4, 3), Networks.normal(8, 8, Networks.CLASSES, 3));
        for (Layer layer :
                List.of(
                        new Bidirectional(new Strangers.Lstm(5)),
                        new TimeDistributed(new Strangers.Dense(4, 5, new ActivationReLU())))) {
            MultiLayerNetwork network =
                    Networks.of(
                            InputType.recurrent(4, 3),
                            layer,
                            new RnnOutputLayer.Builder(LossFunction.MSE)
                                    .nOut(Networks.CLASSES)
                                    .activation(Activation.IDENTITY)
                                    .build());
            var prepared = Preparation.prepare(network, INT8, batches(sequences));
            assertFalse(prepared.report().layers().get(0).quantized(), layer.toString());
            requireKept(
                    network.output(sequences.getFeatures()),
                    prepared.network().output(sequences.getFeatures()));
        }
        MultiLayerNetwork last =
                Networks.of(
                        InputType.recurrent(4, 3),
                        new LastTimeStep(new Strangers.Lstm(5)),
                        scores());
        assertFalse(
                Preparation.prepare(last, INT8, batches(sequences))
                        .report()
                        .layers()
                        .get(0)
                        .quantized());
    }

    // ---- preprocessors
    // ---------------------------------------------------------------------------

    private static Stream<InputPreProcessor> changing() {
        return Stream.of(
                new Strangers.Scaling(),
                new ComposableInputPreProcessor(new Strangers.Scaling()),
                new ComposableInputPreProcessor(
                        new Strangers.Scaling(),
                        new ComposableInputPreProcessor(new Strangers.Scaling())));
    }

    private static void requireOwnSignedInput(org.deeplearning4j.nn.api.Layer layer) {
        LayerQuantizers quantizers =
                QuantizedLayers.configuration(layer).orElseThrow().quantizers();
        assertNull(quantizers.inputFrom());
        assertNotNull(quantizers.input());
        assertTrue(quantizers.input().signed());
    }

    @ParameterizedTest
    @MethodSource("changing")
    void whatAPreprocessorChangesIsRoundedBehindIt(InputPreProcessor preprocessor) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(2)
                                .list()
                                .layer(dense(Activation.RELU))
                                .layer(dense(Activation.RELU))
                                .layer(scores())
                                .setInputType(InputType.feedForward(4))
                                .inputPreProcessor(1, preprocessor)
                                .build());
        network.init();
        var prepared = Preparation.prepare(network, INT8, batches(VECTORS));
        requireOwnSignedInput(prepared.network().getLayer(1));
        assertTrue(prepared.report().layers().get(1).remark().contains("changes"));
        requireKept(
                network.output(VECTORS.getFeatures()),
                prepared.network().output(VECTORS.getFeatures()));
        assertThrows(LoweringException.class, () -> Quantization.lower(prepared.network()));
    }

    @Test
    void aSubclassOfAPreprocessorIsNoReshape() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(2)
                                .list()
                                .layer(convolution(Activation.RELU))
                                .layer(scores())
                                .setInputType(IMAGES)
                                .inputPreProcessor(1, new Strangers.Flattening(4, 4, 3))
                                .build());
        network.init();
        var prepared = Preparation.prepare(network, INT8, batches(PICTURES));
        requireOwnSignedInput(prepared.network().getLayer(1));
        requireKept(
                network.output(PICTURES.getFeatures()),
                prepared.network().output(PICTURES.getFeatures()));
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared.network()))
                        .getMessage();
        assertTrue(message.contains("preprocessor Flattening"), message);
    }

    @Test
    void dl4jsOwnPreprocessorsStillPassCodes() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(2)
                                .list()
                                .layer(convolution(Activation.RELU))
                                .layer(scores())
                                .setInputType(IMAGES)
                                .inputPreProcessor(
                                        1,
                                        new ComposableInputPreProcessor(
                                                new CnnToFeedForwardPreProcessor(4, 4, 3)))
                                .build());
        network.init();
        var prepared = Preparation.prepare(network, INT8, batches(PICTURES)).network();
        assertEquals(
                "layer0",
                QuantizedLayers.configuration(prepared.getLayer(1))
                        .orElseThrow()
                        .quantizers()
                        .inputFrom());
    }

    // ---- vertices
    // --------------------------------------------------------------------------------

    private static ComputationGraph graph(
            InputType input, Function<GraphBuilder, GraphBuilder> middle) {
        GraphBuilder builder =
                middle.apply(
                        new NeuralNetConfiguration.Builder()
                                .seed(4)
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(input));
        ComputationGraph graph =
                new ComputationGraph(
                        builder.addLayer("out", scores(), "last").setOutputs("out").build());
        graph.init();
        return graph;
    }

    private static ComputationGraph joined(GraphVertex join) {
        return graph(
                InputType.feedForward(4),
                builder ->
                        builder.addLayer("a", dense(Activation.RELU), "in")
                                .addLayer("b", dense(Activation.RELU), "in")
                                .addVertex("last", join, "a", "b"));
    }

    @Test
    void aSubclassOfAVertexIsNotTakenForItsParent() {
        ComputationGraph network = joined(new Strangers.Sum());
        var prepared = Preparation.prepare(network, INT8, batches(VECTORS));
        requireOwnSignedInput(prepared.network().getLayer("out"));
        requireKept(
                network.outputSingle(VECTORS.getFeatures()),
                prepared.network().outputSingle(VECTORS.getFeatures()));
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared.network()))
                        .getMessage();
        assertTrue(message.contains("type Sum"), message);
    }

    @Test
    void aPreprocessorOfAVertexThatChangesValuesIsNoMove() {
        ComputationGraph network =
                graph(
                        InputType.feedForward(4),
                        builder ->
                                builder.addLayer("a", dense(Activation.RELU), "in")
                                        .addVertex(
                                                "last",
                                                new PreprocessorVertex(new Strangers.Scaling()),
                                                "a"));
        var prepared = Preparation.prepare(network, INT8, batches(VECTORS));
        requireOwnSignedInput(prepared.network().getLayer("out"));
        requireKept(
                network.outputSingle(VECTORS.getFeatures()),
                prepared.network().outputSingle(VECTORS.getFeatures()));
    }

    // ---- frozen
    // ----------------------------------------------------------------------------------

    private static void requireSame(ComputationGraph plain, ComputationGraph frozen, DataSet data) {
        frozen.params().assign(plain.params());
        var one = Preparation.prepare(plain, INT8, batches(data));
        var other = Preparation.prepare(frozen, INT8, batches(data));
        assertEquals(
                one.network().outputSingle(data.getFeatures()),
                other.network().outputSingle(data.getFeatures()));
        assertEquals(
                one.report().layers().stream().map(PrepareReport.Entry::remark).toList(),
                other.report().layers().stream().map(PrepareReport.Entry::remark).toList());
        assertEquals(
                Quantization.lower(one.network()).sha256(),
                Quantization.lower(other.network()).sha256());
        // What was frozen stays so.
        for (Map.Entry<String, GraphVertex> vertex :
                frozen.getConfiguration().getVertices().entrySet()) {
            assertEquals(
                    vertex.getValue() instanceof FrozenVertex,
                    other.network().getConfiguration().getVertices().get(vertex.getKey())
                            instanceof FrozenVertex);
        }
    }

    @Test
    void frozenVerticesAreLookedThrough() {
        requireSame(
                joined(new ElementWiseVertex(Op.Add)),
                joined(new FrozenVertex(new ElementWiseVertex(Op.Add))),
                VECTORS);
        requireSame(
                joined(new MergeVertex()), joined(new FrozenVertex(new MergeVertex())), VECTORS);
        requireSame(
                graph(
                        InputType.feedForward(4),
                        builder -> builder.addLayer("last", dense(Activation.RELU), "in")),
                graph(
                        InputType.feedForward(4),
                        builder ->
                                builder.addVertex(
                                        "last",
                                        new FrozenVertex(
                                                new LayerVertex(
                                                        configuration(
                                                                new DenseLayer.Builder()
                                                                        .nIn(4)
                                                                        .nOut(5)
                                                                        .activation(Activation.RELU)
                                                                        .build()),
                                                        null)),
                                        "in")),
                VECTORS);
    }

    private static NeuralNetConfiguration configuration(Layer layer) {
        layer.setLayerName("last");
        return new NeuralNetConfiguration.Builder().seed(4).layer(layer).build();
    }

    @Test
    void aFrozenPartWithASumTrainsAsInTheFloatNetwork() {
        ComputationGraph trained = joined(new ElementWiseVertex(Op.Add));
        ComputationGraph extractor =
                new TransferLearning.GraphBuilder(trained)
                        .fineTuneConfiguration(
                                new FineTuneConfiguration.Builder().updater(new Sgd(0.05)).build())
                        .setFeatureExtractor("last")
                        .build();
        assertTrue(extractor.getConfiguration().getVertices().get("last") instanceof FrozenVertex);
        ComputationGraph prepared =
                Preparation.prepare(extractor, INT8, batches(VECTORS)).network();
        extractor.fit(VECTORS);
        INDArray frozen = prepared.getLayer("a").getParam("W").dup();
        INDArray learning = prepared.getLayer("out").getParam("W").dup();
        prepared.fit(VECTORS);
        assertEquals(frozen, prepared.getLayer("a").getParam("W"));
        assertTrue(learning.distance2(prepared.getLayer("out").getParam("W")) > 0);
        assertNotNull(Quantization.lower(prepared));
    }

    private static List<Layer> images() {
        return new ArrayList<>(
                List.of(
                        convolution(Activation.IDENTITY),
                        new BatchNormalization(),
                        new ActivationLayer(Activation.RELU),
                        pool(PoolingType.MAX),
                        new DropoutLayer(0.5),
                        new GlobalPoolingLayer(PoolingType.AVG),
                        new ActivationLayer(Activation.SIGMOID),
                        dense(Activation.TANH),
                        scores()));
    }

    private static Layer inside(List<Function<Layer, Layer>> wrappers, Layer layer) {
        Layer wrapped = layer;
        for (Function<Layer, Layer> wrapper : wrappers) {
            wrapped = wrapper.apply(wrapped);
        }
        return wrapped;
    }

    @Test
    void frozenLayersAreLookedThrough() {
        MultiLayerNetwork plain = Networks.of(IMAGES, images().toArray(Layer[]::new));
        var expected = Preparation.prepare(plain, INT8, batches(PICTURES));
        String digest = Quantization.lower(expected.network()).sha256();
        List<List<Function<Layer, Layer>>> ways =
                List.of(List.of(FrozenLayer::new), List.of(FrozenLayerWithBackprop::new));
        for (List<Function<Layer, Layer>> way : ways) {
            List<Layer> layers = images();
            for (int i = 0; i < layers.size() - 1; i++) {
                layers.set(i, inside(way, layers.get(i)));
            }
            MultiLayerNetwork frozen = Networks.of(IMAGES, layers.toArray(Layer[]::new));
            frozen.params().assign(plain.params());
            var prepared = Preparation.prepare(frozen, INT8, batches(PICTURES));
            assertEquals(
                    expected.network().output(PICTURES.getFeatures()),
                    prepared.network().output(PICTURES.getFeatures()));
            assertEquals(digest, Quantization.lower(prepared.network()).sha256());
        }
    }
}
