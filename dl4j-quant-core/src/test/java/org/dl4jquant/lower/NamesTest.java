// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tag;
import net.jqwik.api.Tuple;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.PrepareReport;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The names of layers, vertices and inputs change no result. */
class NamesTest {

    private static final int EXAMPLES = 24;
    private static final int FEW = 12;
    private static final int MANY = 400;

    /** Of the graph below: one input, ten layers and two joins. */
    private static final List<String> PLAIN =
            List.of(
                    "in", "c1", "n1", "p1", "left", "right", "sum", "relu", "both", "pool", "d",
                    "out");

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static DataSetIterator batches(DataSet data) {
        return new ListDataSetIterator<>(data.asList(), 8);
    }

    private static DataSet images() {
        return TestNetworks.images(EXAMPLES, 1, 5);
    }

    private static ConvolutionLayer convolution(Activation activation) {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(3)
                .convolutionMode(ConvolutionMode.Same)
                .activation(activation)
                .build();
    }

    private static Layer pool(PoolingType type) {
        return new SubsamplingLayer.Builder(type).kernelSize(2, 2).stride(2, 2).build();
    }

    private static DenseLayer dense(Activation activation) {
        return new DenseLayer.Builder().nOut(6).activation(activation).build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(TestNetworks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static NeuralNetConfiguration.Builder seeded() {
        return new NeuralNetConfiguration.Builder().seed(9);
    }

    private static ComputationGraph graph(List<String> names) {
        List<String> n = names;
        ComputationGraph graph =
                new ComputationGraph(
                        seeded().graphBuilder()
                                .addInputs(n.get(0))
                                .addLayer(n.get(1), convolution(Activation.IDENTITY), n.get(0))
                                .addLayer(n.get(2), new BatchNormalization(), n.get(1))
                                .addLayer(n.get(3), pool(PoolingType.MAX), n.get(2))
                                .addLayer(n.get(4), convolution(Activation.TANH), n.get(3))
                                .addLayer(n.get(5), convolution(Activation.RELU), n.get(3))
                                .addVertex(
                                        n.get(6), new ElementWiseVertex(Op.Add), n.get(4), n.get(5))
                                .addLayer(n.get(7), new ActivationLayer(Activation.RELU), n.get(6))
                                .addVertex(n.get(8), new MergeVertex(), n.get(7), n.get(6))
                                .addLayer(
                                        n.get(9), new GlobalPoolingLayer(PoolingType.AVG), n.get(8))
                                .addLayer(n.get(10), dense(Activation.SIGMOID), n.get(9))
                                .addLayer(n.get(11), output(), n.get(10))
                                .setOutputs(n.get(11))
                                .setInputTypes(
                                        InputType.convolutional(
                                                TestNetworks.SIDE, TestNetworks.SIDE, 1))
                                .build());
        graph.init();
        return graph;
    }

    private static MultiLayerNetwork layers(List<String> names) {
        Layer[] layers = {
            convolution(Activation.IDENTITY),
            new BatchNormalization(),
            pool(PoolingType.AVG),
            dense(Activation.TANH),
            dense(Activation.RELU),
            output()
        };
        NeuralNetConfiguration.ListBuilder list = seeded().list();
        for (int i = 0; i < layers.length; i++) {
            layers[i].setLayerName(names.get(i));
            list.layer(layers[i]);
        }
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        list.setInputType(
                                        InputType.convolutional(
                                                TestNetworks.SIDE, TestNetworks.SIDE, 1))
                                .build());
        network.init();
        return network;
    }

    /**
     * Names that the library itself gives, that files and runtimes may stumble over, and others.
     */
    @Provide
    Arbitrary<String> nasty() {
        Arbitrary<String> stems = Arbitraries.of("in", "input", "a", "c1", "layer0", "x", "output");
        Arbitrary<String> inside =
                Arbitraries.of(
                        "/quantize",
                        "/quantized",
                        "/sum",
                        "/pool",
                        "/input",
                        "/input/0",
                        "/values",
                        "_2",
                        "_3",
                        "_weights",
                        "_scale",
                        "_zero_point",
                        "_bias",
                        "_quantized",
                        "_dequantized",
                        "-merge",
                        "\nstacked",
                        "\nunpacked",
                        "_W",
                        "");
        Arbitrary<String> odd =
                Arbitraries.of(
                        "N",
                        "",
                        " ",
                        "  ",
                        "a b",
                        "a/b/c",
                        "/",
                        "\\",
                        "\"",
                        "'",
                        "%s",
                        "%n",
                        "{}",
                        "$1",
                        "<b>&amp;",
                        "\t",
                        "a\nb",
                        "null",
                        "ü",
                        "层",
                        "\ud83d\ude00",
                        "\ud83d",
                        "e\u0301",
                        "\u202e",
                        "x".repeat(3000),
                        "layer",
                        "layer1",
                        "layer2",
                        "W",
                        "scaleOut",
                        "network input",
                        "dl4jquant.range.a");
        return Arbitraries.frequencyOf(
                Tuple.of(4, combine(stems, inside)),
                Tuple.of(2, odd),
                Tuple.of(1, combine(combine(stems, inside), inside)),
                Tuple.of(1, Arbitraries.strings().ofMaxLength(5)));
    }

    private static Arbitrary<String> combine(Arbitrary<String> left, Arbitrary<String> right) {
        return Combinators.combine(left, right).as(String::concat);
    }

    @Provide
    Arbitrary<List<String>> distinctNames() {
        return nasty().list().ofSize(PLAIN.size()).uniqueElements();
    }

    @Provide
    Arbitrary<List<String>> anyNames() {
        return nasty().injectNull(0.15).list().ofSize(6);
    }

    /** The results that must be the same whatever the names are. */
    private record Results(INDArray output, List<float[]> engines, List<Integer> sizes) {

        static Results of(INDArray output, IntGraph graph, INDArray features) {
            assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "names"));
            List<float[]> engines = new ArrayList<>();
            for (String engine : List.of("reference", "onnxruntime")) {
                try (Engine open = Engine.open(engine, graph)) {
                    Map<String, Batch> results = open.run(EngineInputs.of(graph, features));
                    engines.add(((Batch.Floats) results.get(graph.outputs().get(0))).values());
                }
            }
            List<Integer> sizes =
                    graph.nodes().stream()
                            .map(node -> graph.type(node.name()).shape().elements())
                            .toList();
            return new Results(output, engines, sizes);
        }

        void requireEqual(Results other) {
            assertEquals(output, other.output());
            assertEquals(sizes, other.sizes());
            for (int i = 0; i < engines.size(); i++) {
                assertArrayEquals(engines.get(i), other.engines().get(i));
            }
        }
    }

    private static Results ofGraph(List<String> names) {
        DataSet data = images();
        var prepared = Preparation.prepare(graph(names), INT8, batches(data));
        PrepareReport report = prepared.report();
        // A line for each layer and vertex.
        assertEquals(
                new HashSet<>(names.subList(1, names.size())),
                new HashSet<>(report.layers().stream().map(PrepareReport.Entry::name).toList()));
        names.subList(1, names.size()).forEach(report::layer);
        IntGraph graph = Quantization.lower(prepared.network());
        requireSimulated(graph, SimulatorCheck.between(prepared.network(), reference(graph)), data);
        return Results.of(
                prepared.network().outputSingle(data.getFeatures()), graph, data.getFeatures());
    }

    private static Results ofLayers(List<String> names) {
        DataSet data = images();
        var prepared = Preparation.prepare(layers(names), INT8, batches(data));
        assertEquals(
                names.size(),
                prepared.report().layers().stream()
                        .map(PrepareReport.Entry::name)
                        .distinct()
                        .count());
        IntGraph graph = Quantization.lower(prepared.network());
        requireSimulated(graph, SimulatorCheck.between(prepared.network(), reference(graph)), data);
        return Results.of(prepared.network().output(data.getFeatures()), graph, data.getFeatures());
    }

    private static Engine reference(IntGraph graph) {
        return Engine.open("reference", graph);
    }

    private static void requireSimulated(IntGraph graph, SimulatorCheck check, DataSet data) {
        var report = check.over(data.getFeatures());
        assertTrue(report.codes() > 0);
        assertEquals(0, report.differingCodes(), graph::toString);
    }

    private static Results plainGraph;
    private static Results plainLayers;

    private static void anyDistinctNamesGiveOneGraph(List<String> names) {
        if (plainGraph == null) {
            plainGraph = ofGraph(PLAIN);
        }
        plainGraph.requireEqual(ofGraph(names));
    }

    private static void anyNamesGiveOneNetwork(List<String> names) {
        if (plainLayers == null) {
            plainLayers = ofLayers(List.of("c", "n", "p", "d", "e", "o"));
        }
        plainLayers.requireEqual(ofLayers(names));
    }

    @Property(tries = FEW, shrinking = ShrinkingMode.OFF)
    void theNamesInAGraphChangeNoResult(@ForAll("distinctNames") List<String> names) {
        anyDistinctNamesGiveOneGraph(names);
    }

    @Property(tries = FEW, shrinking = ShrinkingMode.OFF)
    void theNamesOfLayersInARowChangeNoResult(@ForAll("anyNames") List<String> names) {
        anyNamesGiveOneNetwork(names);
    }

    @Tag("thorough")
    @Property(tries = MANY, shrinking = ShrinkingMode.OFF)
    void theNamesInAGraphChangeNoResultInManyTries(@ForAll("distinctNames") List<String> names) {
        anyDistinctNamesGiveOneGraph(names);
    }

    @Tag("thorough")
    @Property(tries = MANY, shrinking = ShrinkingMode.OFF)
    void theNamesOfLayersInARowChangeNoResultInManyTries(@ForAll("anyNames") List<String> names) {
        anyNamesGiveOneNetwork(names);
    }

    @Test
    void layersOfOneNameAreAllKept() {
        anyNamesGiveOneNetwork(List.of("same", "same", "same", "same", "same", "same"));
    }

    @Test
    void aNameThatDl4jGivesToUnnamedLayersIsNoOthersName() {
        anyNamesGiveOneNetwork(List.of("layer1", "", "layer3", " ", "layer4", "layer4"));
    }

    @Test
    void aLayerMayBeCalledInput() {
        List<String> names = List.of("input", "n", "input_2", "input/quantize", "d", "output");
        anyNamesGiveOneNetwork(names);
        DataSet data = images();
        IntGraph graph =
                Quantization.lower(
                        Preparation.prepare(layers(names), INT8, batches(data)).network());
        assertEquals("input_3", graph.inputs().get(0).name());
        assertEquals(List.of("output"), graph.outputs());
    }

    @Test
    void namesOfInsertedQuantizersAndInnerNodesMayBeTaken() {
        anyDistinctNamesGiveOneGraph(
                List.of(
                        "in",
                        "in/quantize",
                        "sum/quantized",
                        "left",
                        "left/sum",
                        "right",
                        "sum",
                        "relu",
                        "both",
                        "both/quantized",
                        "left/sum_2",
                        "both/pool"));
    }

    @Test
    void theInputMayBearTheNameOfAnAddedVertex() {
        anyDistinctNamesGiveOneGraph(
                List.of(
                        "sum/quantized",
                        "c1",
                        "n1",
                        "p1",
                        "left",
                        "right",
                        "sum",
                        "relu",
                        "both",
                        "both/quantized_2",
                        "both/quantized",
                        "out"));
    }
}
