// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.prepare.Networks;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class TiedLayersTest {

    private static final int WIDTH = 5;
    private static final DataSet DATA = new DataSet(Networks.normal(3, 16, 4), Networks.labels(16));

    private static DenseLayer dense(int nIn) {
        return new DenseLayer.Builder()
                .nIn(nIn)
                .nOut(WIDTH)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nIn(WIDTH)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /** The groups of more than one layer in a graph that begins with a layer 'stem'. */
    private static Set<Set<String>> tied(Consumer<GraphBuilder> branchesAndSum) {
        GraphBuilder graph =
                new NeuralNetConfiguration.Builder()
                        .seed(1)
                        .graphBuilder()
                        .addInputs("in")
                        .addLayer("stem", dense(4), "in");
        branchesAndSum.accept(graph);
        ComputationGraph network =
                new ComputationGraph(
                        graph.addLayer("output", output(), "sum").setOutputs("output").build());
        network.init();
        return SearchedNetwork.of(network, new ListDataSetIterator<>(DATA.asList(), 8))
                .groups()
                .stream()
                .filter(group -> group.size() > 1)
                .map(HashSet::new)
                .collect(Collectors.toSet());
    }

    private static final Set<Set<String>> A_AND_B = Set.of(Set.of("a", "b"));

    @Test
    void dropoutBeforeASumTiesNothingElse() {
        assertEquals(
                A_AND_B,
                tied(
                        graph ->
                                graph.addLayer("a", dense(WIDTH), "stem")
                                        .addLayer("drop", new DropoutLayer(0.5), "a")
                                        .addLayer("b", dense(WIDTH), "stem")
                                        .addVertex(
                                                "sum",
                                                new ElementWiseVertex(Op.Add),
                                                "drop",
                                                "b")));
    }

    @Test
    void aFrozenLayerIsTiedAsAnyOther() {
        assertEquals(
                A_AND_B,
                tied(
                        graph ->
                                graph.addLayer("a", new FrozenLayer(dense(WIDTH)), "stem")
                                        .addLayer("b", dense(WIDTH), "stem")
                                        .addVertex(
                                                "sum", new ElementWiseVertex(Op.Add), "a", "b")));
        assertEquals(
                A_AND_B,
                tied(
                        graph ->
                                graph.addLayer(
                                                "a",
                                                new FrozenLayerWithBackprop(dense(WIDTH)),
                                                "stem")
                                        .addLayer("b", dense(WIDTH), "stem")
                                        .addVertex(
                                                "sum", new ElementWiseVertex(Op.Add), "a", "b")));
    }

    @Test
    void aFrozenSumTiesAsAnyOther() {
        assertEquals(
                A_AND_B,
                tied(
                        graph ->
                                graph.addLayer("a", dense(WIDTH), "stem")
                                        .addLayer("b", dense(WIDTH), "stem")
                                        .addVertex(
                                                "sum",
                                                new FrozenVertex(new ElementWiseVertex(Op.Add)),
                                                "a",
                                                "b")));
    }

    @Test
    void layersOfOneNameAreSearchedOneByOne() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(1)
                                .list()
                                .layer(named("same", 4))
                                .layer(named("same", WIDTH))
                                .layer(output())
                                .build());
        network.init();
        SearchedNetwork searched =
                SearchedNetwork.of(network, new ListDataSetIterator<>(DATA.asList(), 8));
        assertEquals(List.of("same", "same_2", "layer2"), searched.layers());
        assertEquals(
                List.of(4L * WIDTH, 1L * WIDTH * WIDTH, 1L * WIDTH * Networks.CLASSES),
                searched.layers().stream().map(searched::multiplications).toList());
    }

    private static DenseLayer named(String name, int nIn) {
        return new DenseLayer.Builder().name(name).nIn(nIn).nOut(WIDTH).build();
    }
}
