// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.prepare.Networks;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums, joints and other vertices between layers. */
final class GoldenGraphs {

    private static final InputType IMAGE = GoldenNetworks.IMAGE;
    private static final InputType SEQUENCE = GoldenNetworks.SEQUENCE;

    private final GoldenNetworks networks;

    GoldenGraphs(GoldenNetworks networks) {
        this.networks = networks;
    }

    void add() {
        sums();
        merges();
        vertices();
    }

    private void sums() {
        for (Op op : Op.values()) {
            sum("element by element, " + op, new ElementWiseVertex(op), graph -> {});
        }
        sum("frozen sum", new FrozenVertex(new ElementWiseVertex(Op.Add)), graph -> {});
        graph(
                "sum of three",
                graph ->
                        branches(graph)
                                .addLayer("c", GoldenNetworks.dense(), "stem")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "a", "b", "c")
                                .addLayer("out", GoldenNetworks.output(), "sum"));
        graph(
                "sum with a ReLU",
                graph ->
                        branches(graph)
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "a", "b")
                                .addLayer("relu", GoldenNetworks.relu(), "sum")
                                .addLayer("out", GoldenNetworks.output(), "relu"));
        graph(
                "sum with a table",
                graph ->
                        branches(graph)
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "a", "b")
                                .addLayer("tanh", GoldenNetworks.function(Activation.TANH), "sum")
                                .addLayer("out", GoldenNetworks.output(), "tanh"));
        graph(
                "sum after dropout",
                graph ->
                        branches(graph)
                                .addLayer("drop", new DropoutLayer(0.5), "a")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "drop", "b")
                                .addLayer("out", GoldenNetworks.output(), "sum"));
        graph(
                "sum of a frozen layer",
                graph ->
                        graph.addLayer("stem", GoldenNetworks.dense(Activation.RELU), "in")
                                .addLayer("a", new FrozenLayer(GoldenNetworks.dense()), "stem")
                                .addLayer("b", GoldenNetworks.dense(), "stem")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "a", "b")
                                .addLayer("out", GoldenNetworks.output(), "sum"));
        graph(
                "sums in a row",
                graph ->
                        branches(graph)
                                .addVertex("first", new ElementWiseVertex(Op.Add), "a", "stem")
                                .addVertex("second", new ElementWiseVertex(Op.Add), "first", "b")
                                .addLayer("relu", GoldenNetworks.relu(), "second")
                                .addLayer("c", GoldenNetworks.dense(), "relu")
                                .addVertex("third", new ElementWiseVertex(Op.Add), "c", "relu")
                                .addLayer("out", GoldenNetworks.output(), "third"));
        graph(
                "sum with the input",
                graph ->
                        graph.addLayer("a", GoldenNetworks.dense(), "in")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "a", "in")
                                .addLayer("out", GoldenNetworks.output(), "sum"));
        graph(
                "sum of a normalized layer",
                graph ->
                        graph.addLayer("a", GoldenNetworks.dense(), "in")
                                .addLayer("norm", GoldenNetworks.normalization(), "a")
                                .addLayer("b", GoldenNetworks.dense(), "in")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "norm", "b")
                                .addLayer("out", GoldenNetworks.output(), "sum"));
        graph(
                "sum as an output",
                graph ->
                        branches(graph)
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "a", "b")
                                .addLayer("out", GoldenNetworks.loss(), "sum"));
        graph(
                "sum of a concatenation",
                graph ->
                        branches(graph)
                                .addVertex("join", new MergeVertex(), "a", "b")
                                .addLayer("c", wide(), "stem")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "join", "c")
                                .addLayer("out", GoldenNetworks.output(), "sum"));
        graph(
                "sum of halves",
                graph ->
                        graph.addLayer("c", wide(), "in")
                                .addVertex("left", new SubsetVertex(0, 5), "c")
                                .addVertex("right", new SubsetVertex(6, 11), "c")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "left", "right")
                                .addLayer("out", GoldenNetworks.output(), "sum"));
        graph(
                "sum of functions",
                graph ->
                        branches(graph)
                                .addLayer("fa", GoldenNetworks.function(Activation.TANH), "a")
                                .addLayer("fb", GoldenNetworks.function(Activation.RELU), "b")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "fa", "fb")
                                .addLayer("out", GoldenNetworks.output(), "sum"));
        sumOfImages("sum of pooled images", GoldenNetworks.pool(PoolingType.MAX));
        sumOfImages("sum of averaged images", GoldenNetworks.pool(PoolingType.AVG));
        sumOfImages("sum of padded images", new ZeroPaddingLayer(1, 1));
    }

    private void sumOfImages(String name, Layer between) {
        GraphBuilder graph =
                GoldenNetworks.common()
                        .graphBuilder()
                        .addInputs("in")
                        .setInputTypes(IMAGE)
                        .addLayer("a", GoldenNetworks.convolution(3), "in")
                        .addLayer("between a", between, "a")
                        .addLayer("b", GoldenNetworks.convolution(3), "in")
                        .addLayer("between b", between.clone(), "b")
                        .addVertex("sum", new ElementWiseVertex(Op.Add), "between a", "between b")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "sum")
                        .addLayer("out", GoldenNetworks.output(), "pool");
        graph(name, graph, Networks.normal(3, GoldenNetworks.EXAMPLES, 2, 8, 8));
    }

    private void sum(String name, GraphVertex vertex, Consumer<GraphBuilder> more) {
        graph(
                name,
                graph -> {
                    branches(graph)
                            .addVertex("sum", vertex, "a", "b")
                            .addLayer("out", GoldenNetworks.output(), "sum");
                    more.accept(graph);
                });
    }

    private static GraphBuilder branches(GraphBuilder graph) {
        return graph.addLayer("stem", GoldenNetworks.dense(Activation.RELU), "in")
                .addLayer("a", GoldenNetworks.dense(), "stem")
                .addLayer("b", GoldenNetworks.dense(), "stem");
    }

    private static Layer wide() {
        return new DenseLayer.Builder().nOut(12).activation(Activation.IDENTITY).build();
    }

    private void merges() {
        graph(
                "joined layers",
                graph ->
                        branches(graph)
                                .addVertex("join", new MergeVertex(), "a", "b")
                                .addLayer("out", GoldenNetworks.output(), "join"));
        graph(
                "joined layer and input",
                graph ->
                        graph.addLayer("a", GoldenNetworks.dense(), "in")
                                .addVertex("join", new MergeVertex(), "a", "in")
                                .addLayer("out", GoldenNetworks.output(), "join"));
        graph(
                "joined as an output",
                graph ->
                        branches(graph)
                                .addVertex("join", new MergeVertex(), "a", "b")
                                .addLayer("out", GoldenNetworks.loss(), "join"));
        graph(
                "one input for two heads",
                graph ->
                        branches(graph)
                                .addLayer("head a", GoldenNetworks.output(), "a")
                                .addLayer("head b", GoldenNetworks.output(), "b"),
                "head a",
                "head b");
        graph(
                "a tensor in the middle is an output, too",
                graph ->
                        branches(graph)
                                .addLayer("out", GoldenNetworks.output(), "a")
                                .addLayer("end", GoldenNetworks.loss(), "b"),
                "out",
                "end");
    }

    private void vertices() {
        between("scaled", new ScaleVertex(2));
        between("shifted", new ShiftVertex(1));
        between("of length 1", new L2NormalizeVertex());
        between("reshaped", new ReshapeVertex('c', new int[] {-1, 6}, null));
        between("a part", new SubsetVertex(1, 3));
        between(
                "by a preprocessor",
                new PreprocessorVertex(
                        new ComposableInputPreProcessor(
                                new FeedForwardToCnnPreProcessor(2, 3, 1),
                                new CnnToFeedForwardPreProcessor(2, 3, 1))));
        graph(
                "stacked",
                graph ->
                        branches(graph)
                                .addVertex("stack", new StackVertex(), "a", "b")
                                .addVertex("part", new UnstackVertex(0, 2), "stack")
                                .addLayer("out", GoldenNetworks.output(), "part"));
        graph(
                "distance",
                graph ->
                        branches(graph)
                                .addVertex("distance", new L2Vertex(), "a", "b")
                                .addLayer("out", GoldenNetworks.output(), "distance"));
        GraphBuilder sequence =
                GoldenNetworks.common()
                        .graphBuilder()
                        .addInputs("in")
                        .setInputTypes(SEQUENCE)
                        .addLayer("lstm", GoldenNetworks.lstm(), "in")
                        .addVertex("reverse", new ReverseTimeSeriesVertex("in"), "lstm")
                        .addLayer("second", GoldenNetworks.lstm(), "reverse")
                        .addVertex("last", new LastTimeStepVertex("in"), "second")
                        .addLayer("dense", GoldenNetworks.dense(), "last")
                        .addVertex("again", new DuplicateToTimeSeriesVertex("in"), "dense")
                        .addLayer("third", GoldenNetworks.lstm(), "again")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.MAX), "third")
                        .addLayer("out", GoldenNetworks.output(), "pool");
        graph(
                "steps in time",
                sequence,
                Networks.normal(3, GoldenNetworks.EXAMPLES, 4, GoldenNetworks.TIMES));
        GraphBuilder helper =
                GoldenNetworks.common()
                        .graphBuilder()
                        .addInputs("in")
                        .setInputTypes(IMAGE)
                        .addLayer("convolution", GoldenNetworks.convolution(3), "in")
                        .addVertex("helper", new PoolHelperVertex(), "convolution")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.MAX), "helper")
                        .addLayer("out", GoldenNetworks.output(), "pool");
        graph(
                "without the first row and column",
                helper,
                Networks.normal(3, GoldenNetworks.EXAMPLES, 2, 8, 8));
    }

    private void between(String name, GraphVertex vertex) {
        graph(
                name,
                graph ->
                        graph.addLayer("a", GoldenNetworks.dense(Activation.RELU), "in")
                                .addVertex("between", vertex, "a")
                                .addLayer("out", GoldenNetworks.output(), "between"));
    }

    private void graph(String name, Consumer<GraphBuilder> layers, String... outputs) {
        GraphBuilder graph =
                GoldenNetworks.common()
                        .graphBuilder()
                        .addInputs("in")
                        .setInputTypes(GoldenNetworks.VECTOR);
        layers.accept(graph);
        graph(name, graph, Networks.normal(3, GoldenNetworks.EXAMPLES, 6), outputs);
    }

    private void graph(String name, GraphBuilder graph, INDArray features, String... outputs) {
        String[] named = outputs.length == 0 ? new String[] {"out"} : outputs;
        ComputationGraph network = new ComputationGraph(graph.setOutputs(named).build());
        network.init();
        networks.add(name, network, features, network.output(features.dup())[0]);
    }
}
