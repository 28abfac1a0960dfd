// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Residual and merging graphs: where the quantizers stand, and that they train. */
class GraphPreparationTest {

    private static ConvolutionLayer convolution(Activation function) {
        return new ConvolutionLayer.Builder(3, 3).nOut(4).activation(function).build();
    }

    private static ComputationGraph graph(WorkspaceMode workspaces) {
        ComputationGraphConfiguration conf =
                new NeuralNetConfiguration.Builder()
                        .seed(1)
                        .updater(new Nesterovs(0.01, 0.9))
                        .convolutionMode(ConvolutionMode.Same)
                        .trainingWorkspaceMode(workspaces)
                        .inferenceWorkspaceMode(workspaces)
                        .graphBuilder()
                        .addInputs("in")
                        .addLayer("stem", convolution(Activation.IDENTITY), "in")
                        .addLayer("stemNorm", new BatchNormalization.Builder().build(), "stem")
                        .addLayer("stemRelu", new ActivationLayer(Activation.RELU), "stemNorm")
                        .addLayer("branch", convolution(Activation.IDENTITY), "stemRelu")
                        .addVertex(
                                "sum",
                                new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                "branch",
                                "stemRelu")
                        .addLayer("sumRelu", new ActivationLayer(Activation.RELU), "sum")
                        .addLayer(
                                "pool",
                                new SubsamplingLayer.Builder(
                                                SubsamplingLayer.PoolingType.MAX,
                                                new int[] {2, 2},
                                                new int[] {2, 2})
                                        .build(),
                                "sumRelu")
                        .addLayer("left", convolution(Activation.RELU), "pool")
                        .addLayer("right", convolution(Activation.TANH), "pool")
                        .addVertex("both", new MergeVertex(), "left", "right")
                        .addLayer(
                                "mean",
                                new GlobalPoolingLayer.Builder(PoolingType.AVG).build(),
                                "both")
                        .addLayer(
                                "out",
                                new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                        .nOut(Networks.CLASSES)
                                        .activation(Activation.SOFTMAX)
                                        .build(),
                                "mean")
                        .setOutputs("out")
                        .setInputTypes(InputType.convolutional(8, 8, 2))
                        .build();
        ComputationGraph graph = new ComputationGraph(conf);
        graph.init();
        return graph;
    }

    private static DataSet data() {
        return Networks.data(24, 2, 8, 8);
    }

    private static ComputationGraph prepared(WorkspaceMode workspaces) {
        return Preparation.prepare(
                        graph(workspaces), QuantSpec.of(LayerScheme.INT8), Networks.batches(data()))
                .network();
    }

    private static LayerQuantizers quantizers(ComputationGraph graph, String layer) {
        return QuantizedLayers.configuration(graph.getLayer(layer)).orElseThrow().quantizers();
    }

    @Test
    void everyTensorHasOneQuantizerAtItsProducer() {
        ComputationGraph graph = prepared(WorkspaceMode.ENABLED);
        assertFalse(graph.getConfiguration().getVertices().containsKey("stemNorm"), "joined");
        assertTrue(quantizers(graph, "stem").input().signed());
        assertFalse(quantizers(graph, "stem").output().signed(), "after a ReLU");
        assertTrue(quantizers(graph, "branch").output().signed(), "no activation function");
        assertEquals("stem", quantizers(graph, "branch").inputFrom());
        assertFalse(
                graph.getConfiguration().getVertices().containsKey("sum/quantized"),
                "the ReLU after the sum carries it");
        assertFalse(quantizers(graph, "sumRelu").output().signed());
        assertEquals("sumRelu", quantizers(graph, "left").inputFrom(), "through the max pool");
        assertTrue(
                quantizers(graph, "right").scheme(TensorRole.PRE_ACTIVATION).signed(), "a table");
        assertTrue(quantizers(graph, "both/quantized").output().signed());
        assertEquals("both/quantized", quantizers(graph, "mean").inputFrom());
        assertNull(quantizers(graph, "out").output(), "the result leaves in float");
    }

    private static ComputationGraph residualOnInput() {
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(1)
                                .convolutionMode(ConvolutionMode.Same)
                                .graphBuilder()
                                .addInputs("in")
                                .addLayer("first", convolution(Activation.IDENTITY), "in")
                                .addLayer("floating", convolution(Activation.IDENTITY), "in")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "first",
                                        "in")
                                .addLayer("after", convolution(Activation.RELU), "sum")
                                .addLayer(
                                        "out",
                                        new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.IDENTITY)
                                                .build(),
                                        "after")
                                .addLayer(
                                        "floatingOut",
                                        new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.IDENTITY)
                                                .build(),
                                        "floating")
                                .setOutputs("out", "floatingOut")
                                .setInputTypes(InputType.convolutional(8, 8, 4))
                                .build());
        graph.init();
        return graph;
    }

    @Test
    void anInputThatASumReadsHasOneQuantizerForAllThatComputeWithItsCodes() {
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT4)
                        .with(LayerSelector.named("first"), LayerScheme.INT8)
                        .with(LayerSelector.named("floating"), LayerScheme.FLOAT)
                        .with(LayerSelector.named("floatingOut"), LayerScheme.FLOAT);
        PreparedNetwork<ComputationGraph> prepared =
                Preparation.prepare(
                        residualOnInput(), spec, Networks.batches(Networks.data(24, 4, 8, 8)));
        ComputationGraph graph = prepared.network();
        Map<String, List<String>> wiring = graph.getConfiguration().getVertexInputs();
        assertEquals(List.of("in"), wiring.get("in/quantized"));
        assertEquals(List.of("in/quantized"), wiring.get("first"));
        assertEquals(List.of("first", "in/quantized"), wiring.get("sum"));
        assertEquals(List.of("in"), wiring.get("floating"), "computes in float");
        assertEquals("in/quantized", quantizers(graph, "first").inputFrom());
        assertNull(quantizers(graph, "first").input());
        assertEquals(
                8,
                quantizers(graph, "in/quantized").output().scheme().format().bitsPerNumber(),
                "the most bits that a reader asks for");
        PrepareReport.Entry entry = prepared.report().layer("in");
        assertEquals("rounded by 'in/quantized', signed", entry.remark());
        assertEquals("network input", entry.type());
    }

    @ParameterizedTest
    @EnumSource(
            value = WorkspaceMode.class,
            names = {"ENABLED", "NONE"})
    void aResidualGraphTrainsIsSavedAndResumesBitForBit(WorkspaceMode workspaces)
            throws IOException {
        ComputationGraph graph = prepared(workspaces);
        double before = graph.score(data());
        for (int i = 0; i < 15; i++) {
            graph.fit(data());
        }
        assertTrue(graph.score(data()) < before);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        ModelSerializer.writeModel(graph, file, true);
        ComputationGraph resumed =
                ModelSerializer.restoreComputationGraph(
                        new ByteArrayInputStream(file.toByteArray()), true);
        assertEquals(graph.getConfiguration(), resumed.getConfiguration());
        INDArray x = data().getFeatures();
        assertEquals(graph.outputSingle(x), resumed.outputSingle(x));
        assertEquals(graph.outputSingle(x), graph.clone().outputSingle(x));
        graph.fit(data());
        resumed.fit(data());
        assertEquals(graph.params(), resumed.params());
    }

    @Test
    void workspacesChangeNothing() {
        ComputationGraph with = prepared(WorkspaceMode.ENABLED);
        ComputationGraph without = prepared(WorkspaceMode.NONE);
        for (int i = 0; i < 3; i++) {
            with.fit(data());
            without.fit(data());
        }
        assertEquals(with.params(), without.params());
        INDArray x = data().getFeatures();
        INDArray kept = x.dup();
        assertEquals(with.outputSingle(x), without.outputSingle(x));
        assertEquals(kept, x, "the input is not changed");
    }

    @Test
    void eightBitsAreNearTheFloatNetwork() {
        ComputationGraph graph = graph(WorkspaceMode.ENABLED);
        for (int i = 0; i < 20; i++) {
            graph.fit(data());
        }
        ComputationGraph quantized =
                Preparation.prepare(graph, QuantSpec.of(LayerScheme.INT8), Networks.batches(data()))
                        .network();
        INDArray x = data().getFeatures();
        double apart =
                graph.outputSingle(x).sub(quantized.outputSingle(x)).amaxNumber().doubleValue();
        // A handful of roundings of at most half a percent of the range each.
        assertTrue(apart < 0.05, "probabilities differ by " + apart);
    }
}
