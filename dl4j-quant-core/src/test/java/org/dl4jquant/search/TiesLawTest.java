// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.lower.Lowering;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The law of ties: the search ties exactly the layers whose codes meet in one sum of the integer
 * graph. Random graphs put wrappers around layers and sums, and layers that pass codes on between
 * them.
 */
class TiesLawTest {

    private static final int WIDTH = 5;
    private static final int GRAPHS = 24;
    private static final DataSet DATA = new DataSet(Networks.normal(3, 16, 4), Networks.labels(16));

    @Test
    void tiesWhatMeetsInASumOfTheIntegerGraph() {
        int ties = 0;
        for (int seed = 0; seed < GRAPHS; seed++) {
            ComputationGraph network = new RandomGraph(seed).build();
            Set<Set<String>> expected = meetings(lowered(network));
            Set<Set<String>> found =
                    SearchedNetwork.of(network, new ListDataSetIterator<>(DATA.asList(), 8))
                            .groups()
                            .stream()
                            .filter(group -> group.size() > 1)
                            .map(HashSet::new)
                            .collect(Collectors.toSet());
            assertEquals(expected, found, "seed " + seed + ": " + network.summary());
            ties += found.size();
        }
        assertTrue(ties > GRAPHS / 2, "too few ties to show anything: " + ties);
    }

    private static IntGraph lowered(ComputationGraph network) {
        return Lowering.of(
                Preparation.prepare(
                                network,
                                QuantSpec.of(LayerScheme.INT8),
                                new ListDataSetIterator<>(DATA.asList(), 8))
                        .network());
    }

    /** The sets of layers with weights whose codes reach one sum, those joined that overlap. */
    private static Set<Set<String>> meetings(IntGraph graph) {
        Map<String, IntNode> nodes = new HashMap<>();
        graph.nodes().forEach(node -> nodes.put(node.name(), node));
        List<Set<String>> joined = new ArrayList<>();
        for (IntNode node : graph.nodes()) {
            if (node instanceof Add) {
                Set<String> met = new HashSet<>();
                node.inputs().forEach(input -> met.addAll(weighted(nodes, input)));
                for (Set<String> other : List.copyOf(joined)) {
                    if (other.stream().anyMatch(met::contains)) {
                        met.addAll(other);
                        joined.remove(other);
                    }
                }
                joined.add(met);
            }
        }
        return joined.stream().filter(set -> set.size() > 1).collect(Collectors.toSet());
    }

    private static Set<String> weighted(Map<String, IntNode> nodes, String name) {
        IntNode node = nodes.get(name);
        Set<String> found = new LinkedHashSet<>();
        if (node instanceof Weighted) {
            found.add(name.split("/", 2)[0]);
        } else if (node != null && !(node instanceof Add)) {
            node.inputs().forEach(input -> found.addAll(weighted(nodes, input)));
        }
        return found;
    }

    private static final class RandomGraph {

        private final Random random;
        private final GraphBuilder graph;
        private final List<String> tensors = new ArrayList<>(List.of("stem"));
        private final Set<String> unread = new LinkedHashSet<>(tensors);
        private int count;

        RandomGraph(int seed) {
            random = new Random(seed);
            graph =
                    new NeuralNetConfiguration.Builder()
                            .seed(1)
                            .graphBuilder()
                            .addInputs("in")
                            .addLayer("stem", dense(4, Activation.RELU), "in");
        }

        ComputationGraph build() {
            for (int i = 0; i < 8; i++) {
                grow();
            }
            while (unread.size() > 1) {
                List<String> two = List.copyOf(unread).subList(0, 2);
                sum(two.get(0), two.get(1));
            }
            graph.addLayer(
                            "output",
                            new OutputLayer.Builder(LossFunction.MCXENT)
                                    .nIn(WIDTH)
                                    .nOut(Networks.CLASSES)
                                    .activation(Activation.SOFTMAX)
                                    .build(),
                            unread.iterator().next())
                    .setOutputs("output");
            ComputationGraph network = new ComputationGraph(graph.build());
            network.init();
            return network;
        }

        private void grow() {
            String from = tensors.get(random.nextInt(tensors.size()));
            switch (random.nextInt(6)) {
                case 0 -> layer("drop", new DropoutLayer(0.5), from);
                case 1 -> layer("relu", new ActivationLayer(Activation.RELU), from);
                case 2 -> normalized(from);
                case 3 -> {
                    String other = tensors.get(random.nextInt(tensors.size()));
                    if (!other.equals(from)) {
                        sum(from, other);
                    }
                }
                default -> layer("dense", wrapped(dense(WIDTH, function())), from);
            }
        }

        private Activation function() {
            return random.nextBoolean() ? Activation.IDENTITY : Activation.RELU;
        }

        private Layer wrapped(Layer layer) {
            return switch (random.nextInt(4)) {
                case 0 -> new FrozenLayer(layer);
                case 1 -> new FrozenLayerWithBackprop(layer);
                default -> layer;
            };
        }

        private void layer(String kind, Layer layer, String from) {
            String name = kind + count++;
            graph.addLayer(name, layer, from);
            made(name, from);
        }

        private void normalized(String from) {
            String name = "dense" + count++;
            graph.addLayer(name, dense(WIDTH, Activation.IDENTITY), from);
            unread.remove(from);
            layer("norm", new BatchNormalization.Builder().nIn(WIDTH).nOut(WIDTH).build(), name);
        }

        private void sum(String left, String right) {
            String name = "sum" + count++;
            ElementWiseVertex sum = new ElementWiseVertex(Op.Add);
            graph.addVertex(
                    name, random.nextInt(3) == 0 ? new FrozenVertex(sum) : sum, left, right);
            made(name, left);
            unread.remove(right);
        }

        private void made(String name, String from) {
            unread.remove(from);
            unread.add(name);
            tensors.add(name);
        }

        private static DenseLayer dense(int nIn, Activation function) {
            return new DenseLayer.Builder().nIn(nIn).nOut(WIDTH).activation(function).build();
        }
    }
}
