// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.prepare.Networks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class NetworkEditTest {

    private static final DataSet DATA = Networks.data(12, 4);
    private static final int WIDTH = 5;

    /** Leaving out terms that are 0 lets the matrix product add the others in another order. */
    private static final double ORDER_OF_SUMS = 1e-5;

    static Stream<Arguments> networks() {
        return Stream.<IUpdater>of(new Adam(0.01), new Nesterovs(0.05, 0.9), new Sgd(0.05))
                .flatMap(
                        updater -> {
                            Supplier<NetworkView<?>> row = () -> NetworkView.of(row(updater));
                            Supplier<NetworkView<?>> graph = () -> NetworkView.of(graph(updater));
                            return Stream.of(
                                    Arguments.of("row, " + updater.getClass(), row),
                                    Arguments.of("graph, " + updater.getClass(), graph));
                        });
    }

    private static DenseLayer dense(int nIn, int nOut, Activation function) {
        return new DenseLayer.Builder().nIn(nIn).nOut(nOut).activation(function).build();
    }

    private static OutputLayer output(int nIn) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nIn(nIn)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork row(IUpdater updater) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .updater(updater)
                                .list()
                                .layer(named("a", dense(4, WIDTH, Activation.TANH)))
                                .layer(
                                        named(
                                                "frozen",
                                                new FrozenLayer(
                                                        dense(WIDTH, WIDTH, Activation.TANH))))
                                .layer(named("b", dense(WIDTH, WIDTH, Activation.RELU)))
                                .layer(named("output", output(WIDTH)))
                                .build());
        network.init();
        return network;
    }

    private static <L extends org.deeplearning4j.nn.conf.layers.Layer> L named(String name, L of) {
        of.setLayerName(name);
        return of;
    }

    private static ComputationGraph graph(IUpdater updater) {
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .updater(updater)
                                .graphBuilder()
                                .addInputs("in")
                                .addLayer("a", dense(4, WIDTH, Activation.TANH), "in")
                                .addLayer(
                                        "frozen",
                                        new FrozenLayer(dense(WIDTH, WIDTH, Activation.TANH)),
                                        "a")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "a",
                                        "frozen")
                                .addVertex("merge", new MergeVertex(), "sum", "a")
                                .addLayer("b", dense(2 * WIDTH, WIDTH, Activation.RELU), "merge")
                                .addLayer("output", output(WIDTH), "b")
                                .setOutputs("output")
                                .build());
        network.init();
        return network;
    }

    private static INDArray result(NetworkView<?> network) {
        return network.output(new INDArray[] {DATA.getFeatures()}, null)[0];
    }

    private static void train(NetworkView<?> network) {
        for (int i = 0; i < 4; i++) {
            network.fit(new SingletonDataSetIterator(DATA), 1);
        }
    }

    private static <N extends Model> NetworkEdit<N> edit(NetworkView<N> network) {
        return NetworkEdit.of(network);
    }

    /** Checks that two networks compute the same bits now and after more training. */
    private static void assertStaySame(NetworkView<?> expected, Model edited) {
        NetworkView<?> found = NetworkView.ofModel(edited);
        assertEquals(result(expected), result(found));
        assertEquals(expected.iterations(), found.iterations());
        assertEquals(expected.epochs(), found.epochs());
        train(expected);
        train(found);
        assertEquals(result(expected), result(found));
        assertEquals(expected.network().params(), found.network().params());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void aNetworkWithoutEditsIsACopyThatTrainsOn(String name, Supplier<NetworkView<?>> of) {
        NetworkView<?> network = of.get();
        train(network);
        INDArray before = network.network().params().dup();

        Model copy = edit(network).build();

        assertStaySame(network, copy);
        assertFalse(before.equals(copy.params()), "the training changed nothing");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void anIdentityCanBeInsertedAndRemoved(String name, Supplier<NetworkView<?>> of) {
        NetworkView<?> network = of.get();
        train(network);
        NewLayer identity = NewLayer.of("identity", new ActivationLayer(Activation.IDENTITY));

        Model longer = edit(network).insertAfter("a", identity).build();
        Model same = edit(NetworkView.ofModel(longer)).remove("identity").build();

        NetworkView<?> view = NetworkView.ofModel(longer);
        assertEquals(List.of("identity"), readersOf(view, "a"));
        assertEquals(readersOf(network, "a"), readersOf(view, "identity"));
        assertEquals(network.json(), NetworkView.ofModel(same).json());
        NetworkView<?> twin = NetworkView.ofModel(edit(network).build());
        assertStaySame(network, longer);
        assertStaySame(twin, same);
    }

    private static List<String> readersOf(NetworkView<?> network, String tensor) {
        return network.topology().consumers(tensor).stream().map(Step::name).toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void aLayerCanBeSplitFromItsFunction(String name, Supplier<NetworkView<?>> of) {
        NetworkView<?> network = of.get();
        train(network);
        DenseLayer linear = dense(4, WIDTH, Activation.IDENTITY);

        Model split =
                edit(network)
                        .split(
                                "a",
                                List.of(
                                        new NewLayer("linear", linear, kept("a")),
                                        NewLayer.of("a", new ActivationLayer(Activation.TANH))))
                        .build();

        assertStaySame(network, split);
    }

    private static Map<String, ParameterSource> kept(String step) {
        return Map.of("W", ParameterSource.kept(step, "W"), "b", ParameterSource.kept(step, "b"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void aReplacedLayerStaysFrozen(String name, Supplier<NetworkView<?>> of) {
        NetworkView<?> network = of.get();
        train(network);
        INDArray weights = network.layer("frozen").getParam("W").dup();
        DenseLayer same = dense(WIDTH, WIDTH, Activation.TANH);

        Model edited =
                edit(network)
                        .replace("frozen", new NewLayer("frozen", same, kept("frozen")))
                        .build();

        assertStaySame(network, edited);
        assertEquals(weights, NetworkView.ofModel(edited).layer("frozen").getParam("W"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void anUnfrozenLayerLearns(String name, Supplier<NetworkView<?>> of) {
        NetworkView<?> network = of.get();
        NetworkView<?> thawed = NetworkView.ofModel(edit(network).unfreeze("frozen").build());
        assertEquals(result(network), result(thawed));
        INDArray weights = thawed.layer("frozen").getParam("W").dup();
        train(thawed);
        assertFalse(weights.equals(thawed.layer("frozen").getParam("W")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void channelsThatAreZeroCanBeSlicedAway(String name, Supplier<NetworkView<?>> of) {
        NetworkView<?> network = of.get();
        INDArray weights = network.layer("b").getParam("W");
        int reads = (int) weights.size(0);
        for (int gone : new int[] {1, 3}) {
            weights.get(NDArrayIndex.all(), NDArrayIndex.point(gone)).assign(0);
            network.layer("b").getParam("b").putScalar(gone, 0);
        }
        train(network);

        Model smaller =
                edit(network)
                        .replace(
                                "b",
                                new NewLayer(
                                        "b",
                                        dense(reads, 3, Activation.RELU),
                                        Map.of(
                                                "W",
                                                ParameterSource.kept("b", "W").keep(1, 0, 2, 4),
                                                "b",
                                                ParameterSource.kept("b", "b").keep(0, 0, 2, 4))))
                        .replace(
                                "output",
                                new NewLayer(
                                        "output",
                                        output(3),
                                        Map.of(
                                                "W",
                                                ParameterSource.kept("output", "W")
                                                        .keep(0, 0, 2, 4),
                                                "b",
                                                ParameterSource.kept("output", "b"))))
                        .build();

        NetworkView<?> view = NetworkView.ofModel(smaller);
        assertTrue(result(network).equalsWithEps(result(view), ORDER_OF_SUMS));
        assertStatesAreSliced(network, view);
        train(network);
        train(view);
        assertTrue(result(network).equalsWithEps(result(view), ORDER_OF_SUMS));
    }

    private static void assertStatesAreSliced(NetworkView<?> whole, NetworkView<?> smaller) {
        List<INDArray> before = UpdaterStates.of(whole).get("b", "W");
        List<INDArray> after = UpdaterStates.of(smaller).get("b", "W");
        assertEquals(before.size(), after.size());
        for (int i = 0; i < before.size(); i++) {
            int[] columns = {0, 2, 4};
            for (int c = 0; c < columns.length; c++) {
                INDArray column = before.get(i).getColumn(columns[c]);
                assertEquals(column, after.get(i).getColumn(c));
                assertTrue(column.amaxNumber().doubleValue() > 0, "the state is 0 everywhere");
            }
        }
        assertEquals(
                UpdaterStates.of(whole).get("a", "W"), UpdaterStates.of(smaller).get("a", "W"));
    }

    @Test
    void aPreprocessorMovesWithTheLayersOfItsPlace() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.convolutional(4, 4, 1),
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(2)
                                .activation(Activation.RELU)
                                .build(),
                        named("dense", dense(0, WIDTH, Activation.TANH)),
                        output(WIDTH));
        NetworkView<MultiLayerNetwork> view = NetworkView.of(network);
        DenseLayer same = (DenseLayer) view.topology().step("dense").layer();
        NewLayer identity = NewLayer.of("identity", new ActivationLayer(Activation.IDENTITY));

        MultiLayerNetwork longer =
                NetworkEdit.of(view)
                        .split(
                                "dense",
                                List.of(identity, new NewLayer("dense", same, kept("dense"))))
                        .build();
        MultiLayerNetwork again = NetworkEdit.of(NetworkView.of(longer)).remove("identity").build();

        INDArray images = Networks.normal(5, 3, 1, 4, 4);
        assertEquals(network.output(images), longer.output(images));
        assertEquals(network.output(images), again.output(images));
        assertEquals(3, again.getnLayers());
    }

    @Test
    void aFreshLayerLearns() {
        NetworkView<ComputationGraph> view = NetworkView.of(graph(new Adam(0.01)));
        train(view);
        Map<String, ParameterSource> fresh =
                Map.of("W", ParameterSource.fresh(), "b", ParameterSource.fresh());

        ComputationGraph changed =
                NetworkEdit.of(view)
                        .replace("output", new NewLayer("output", output(WIDTH), fresh))
                        .build();

        INDArray drawn = changed.getLayer("output").getParam("W").dup();
        assertTrue(drawn.amaxNumber().doubleValue() > 0, "no weights were drawn");
        changed.fit(DATA);
        assertFalse(drawn.equals(changed.getLayer("output").getParam("W")));
    }

    @Test
    void refusesWhatItCannotBuild() {
        NetworkView<ComputationGraph> graph = NetworkView.of(graph(new Sgd(0.1)));
        NewLayer taken = NewLayer.of("b", new ActivationLayer(Activation.IDENTITY));
        NewLayer wide = new NewLayer("b", dense(2 * WIDTH, 7, Activation.RELU), kept("b"));
        NewLayer bare = NewLayer.of("b", dense(2 * WIDTH, WIDTH, Activation.RELU));

        assertRefused("'sum' reads [a, frozen]", () -> edit(graph).remove("sum"));
        assertRefused("has 'b' already", () -> edit(graph).insertAfter("a", taken));
        assertRefused("no step or input 'x'", () -> edit(graph).insertAfter("x", taken));
        assertRefused("no step 'x'", () -> edit(graph).remove("x"));
        assertRefused(
                "'W' of 'b' has the shape [10, 7], and its source [10, 5]",
                () -> edit(graph).replace("b", wide).build());
        assertRefused("give one to each", () -> edit(graph).replace("b", bare).build());
        assertRefused(
                "axis 1 has no index 5",
                () ->
                        edit(graph)
                                .replace(
                                        "b",
                                        new NewLayer(
                                                "b",
                                                dense(2 * WIDTH, 1, Activation.RELU),
                                                Map.of(
                                                        "W",
                                                        ParameterSource.kept("b", "W").keep(1, 5),
                                                        "b",
                                                        ParameterSource.kept("b", "b").keep(0, 0))))
                                .build());
    }

    private static void assertRefused(String words, Runnable edit) {
        String message = assertThrows(IllegalArgumentException.class, edit::run).getMessage();
        assertTrue(message.contains(words), message);
    }
}
