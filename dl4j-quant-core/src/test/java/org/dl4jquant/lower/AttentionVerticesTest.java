// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.SingletonMultiDataSetIterator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.layer.QuantizedAttentionVertex;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Attention of three inputs becomes layers and products of codes, alike in every engine. */
class AttentionVerticesTest {

    private static final int NETWORKS = 8;
    private static final int EXAMPLES = 3;

    /* A handful of signals of 8 bits, of about 40 dB each, follow one another. */
    private static final double NOISE = 0.05;

    /** A network of one attention, and sequences for it. */
    private record Drawn(ComputationGraph network, MultiDataSet data) {

        INDArray[] features() {
            return data.getFeatures();
        }
    }

    /* Queries of one sequence, keys and values of another that is longer or shorter; the values
     * perhaps of a third, and perhaps all three of one. */
    private static Drawn drawn(Random random) {
        boolean projects = random.nextInt(4) != 0;
        int heads = projects ? 1 + random.nextInt(3) : 1;
        int size = 1 + random.nextInt(6);
        int others = projects ? 1 + random.nextInt(6) : size;
        int outputs = projects ? 1 + random.nextInt(6) : size;
        int steps = 1 + random.nextInt(7);
        int remembered = 1 + random.nextInt(7);
        boolean alone = random.nextInt(4) == 0;
        AttentionVertex attention =
                new AttentionVertex.Builder()
                        .nInQueries(size)
                        .nInKeys(alone ? size : others)
                        .nInValues(alone ? size : others)
                        .nOut(outputs)
                        .nHeads(heads)
                        .headSize(projects ? 1 + random.nextInt(5) : 0)
                        .projectInput(projects)
                        .build();
        GraphBuilder builder =
                new NeuralNetConfiguration.Builder()
                        .seed(random.nextInt())
                        .updater(new Sgd(0.05))
                        .graphBuilder()
                        .addInputs("queries", "memory")
                        .setInputTypes(
                                InputType.recurrent(size, steps),
                                InputType.recurrent(others, remembered));
        boolean embeds = random.nextBoolean();
        if (embeds) {
            builder.addLayer("embedded", each(size, size, Activation.TANH), "queries");
        }
        String queries = embeds ? "embedded" : "queries";
        String memory = alone ? queries : "memory";
        boolean third = !alone && random.nextBoolean();
        if (third) {
            builder.addLayer("third", each(others, others, Activation.RELU), "memory");
        }
        builder.addVertex("attention", attention, queries, memory, third ? "third" : memory)
                .addLayer("out", output(outputs), "attention");
        if (alone) {
            builder.addLayer("other", output(others), "memory").setOutputs("out", "other");
        } else {
            builder.setOutputs("out");
        }
        ComputationGraph network = new ComputationGraph(builder.build());
        network.init();
        INDArray[] features = {
            Nd4j.randn(EXAMPLES, size, steps).muli(2),
            Nd4j.randn(EXAMPLES, others, remembered).muli(2)
        };
        INDArray labels = Nd4j.rand(EXAMPLES, 2, steps);
        INDArray[] all =
                alone
                        ? new INDArray[] {labels, Nd4j.rand(EXAMPLES, 2, remembered)}
                        : new INDArray[] {labels};
        return new Drawn(network, new MultiDataSet(features, all));
    }

    private static Convolution1DLayer each(int in, int out, Activation function) {
        return new Convolution1DLayer.Builder(1).nIn(in).nOut(out).activation(function).build();
    }

    private static RnnOutputLayer output(int in) {
        return new RnnOutputLayer.Builder(LossFunction.MSE)
                .nIn(in)
                .nOut(2)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static QuantSpec spec(int seed) {
        LayerScheme int8 = LayerScheme.INT8;
        return QuantSpec.of(
                switch (seed % 3) {
                    case 0 -> int8;
                    case 1 -> LayerScheme.ofBits(4, 5);
                    default ->
                            new LayerScheme(
                                    int8.weights(),
                                    int8.activations().withSymmetry(Symmetry.ASYMMETRIC));
                });
    }

    private static ComputationGraph prepared(Drawn drawn, QuantSpec spec) {
        return Quantization.prepare(
                drawn.network(), spec, new SingletonMultiDataSetIterator(drawn.data()));
    }

    @Test
    void networkReferenceAndRuntimeComputeTheSameCodes() {
        int attentions = 0;
        for (int seed = 0; seed < NETWORKS; seed++) {
            Nd4j.getRandom().setSeed(seed);
            Drawn drawn = drawn(new Random(seed));
            IntGraph graph = EqualIntegers.of(drawn.network(), spec(seed), drawn.data());
            attentions +=
                    (int) graph.nodes().stream().filter(AttentionWeights.class::isInstance).count();
        }
        assertEquals(NETWORKS, attentions);
    }

    @Test
    void resultsAreNearTheFloatNetworks() {
        for (int seed = 0; seed < NETWORKS; seed++) {
            Nd4j.getRandom().setSeed(seed);
            Drawn drawn = drawn(new Random(seed));
            INDArray expected = drawn.network().output(drawn.features())[0];
            INDArray found =
                    prepared(drawn, QuantSpec.of(LayerScheme.INT8)).output(drawn.features())[0];
            double noise = expected.sub(found).norm2Number().doubleValue();
            double signal = expected.norm2Number().doubleValue();
            int failing = seed;
            assertTrue(
                    noise < NOISE * signal,
                    () -> "seed " + failing + ": noise " + noise + " of " + signal);
        }
    }

    private static Drawn projecting() {
        Nd4j.getRandom().setSeed(3);
        AttentionVertex attention =
                new AttentionVertex.Builder()
                        .nInQueries(3)
                        .nInKeys(4)
                        .nInValues(4)
                        .nOut(6)
                        .nHeads(2)
                        .headSize(3)
                        .projectInput(true)
                        .build();
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .updater(new Sgd(0.1))
                                .graphBuilder()
                                .addInputs("queries", "memory")
                                .setInputTypes(InputType.recurrent(3, 4), InputType.recurrent(4, 5))
                                .addVertex("attention", attention, "queries", "memory", "memory")
                                .addLayer("out", output(6), "attention")
                                .addLayer("other", output(3), "queries")
                                .setOutputs("out", "other")
                                .build());
        network.init();
        return new Drawn(
                network,
                new MultiDataSet(
                        new INDArray[] {Nd4j.randn(EXAMPLES, 3, 4), Nd4j.randn(EXAMPLES, 4, 5)},
                        new INDArray[] {Nd4j.rand(EXAMPLES, 2, 4), Nd4j.rand(EXAMPLES, 2, 4)}));
    }

    @Test
    void allItsWeightsLearnAndAreSavedWithTheNetwork() throws Exception {
        Drawn drawn = projecting();
        ComputationGraph network = prepared(drawn, QuantSpec.of(LayerScheme.INT8));
        ComputationGraph copy =
                new ComputationGraph(
                        ComputationGraphConfiguration.fromJson(
                                network.getConfiguration().toJson()));
        copy.init(network.params().dup(), false);
        for (String layer :
                new String[] {
                    "attention/queries", "attention/keys", "attention/values", "attention"
                }) {
            INDArray before = network.getLayer(layer).getParam("W").dup();
            network.fit(drawn.data().copy());
            assertNotEquals(before, network.getLayer(layer).getParam("W"), layer);
            copy.fit(drawn.data().copy());
        }
        assertEquals(network.params(), copy.params());
        assertEquals(network.output(drawn.features())[0], copy.output(drawn.features())[0]);
    }

    @Test
    void aRuleOfTheSpecByItsNameOrTypeLeavesItWhole() {
        Drawn drawn = projecting();
        for (LayerSelector selector :
                new LayerSelector[] {
                    LayerSelector.named("attention"), LayerSelector.ofType("AttentionVertex")
                }) {
            ComputationGraph network =
                    prepared(
                            drawn,
                            QuantSpec.of(LayerScheme.INT8).with(selector, LayerScheme.FLOAT));
            assertInstanceOf(
                    AttentionVertex.class,
                    network.getConfiguration().getVertices().get("attention"));
            String message =
                    assertThrows(LoweringException.class, () -> Quantization.lower(network))
                            .getMessage();
            assertTrue(message.contains("this AttentionVertex computes in float"), () -> message);
        }
    }

    /** A masked key weighs nothing, and a masked query has no result, as DL4J documents it. */
    @Test
    void maskedStepsWeighNothing() {
        Drawn drawn = projecting();
        ComputationGraph network = prepared(drawn, QuantSpec.of(LayerScheme.INT8));
        INDArray keys = Nd4j.ones(EXAMPLES, 5).putScalar(0, 4, 0);
        INDArray queries = Nd4j.ones(EXAMPLES, 4).putScalar(1, 3, 0);
        INDArray[] masks = {queries, keys};
        INDArray[] other = {drawn.features()[0], drawn.features()[1].dup()};
        other[1].putScalar(new long[] {0, 2, 4}, 1.5f);
        INDArray expected = network.output(false, drawn.features(), masks, null)[0].dup();
        assertEquals(expected, network.output(false, other, masks, null)[0]);
        assertNotEquals(
                network.output(drawn.features())[0].dup(), network.output(other)[0], "no mask");
        for (int i = 0; i < 2; i++) {
            assertEquals(
                    network.getLayer("out").getParam("b").getFloat(i),
                    expected.getFloat(1, i, 3),
                    0.01,
                    "of a masked query only the bias is left");
        }
    }

    @Test
    void anExampleWithNanIsNanAndOthersAreNot() {
        Drawn drawn = projecting();
        ComputationGraph network = prepared(drawn, QuantSpec.of(LayerScheme.INT8));
        float[] expected = RowMajor.floats(network.output(drawn.features())[0]);
        INDArray[] lost = {drawn.features()[0], drawn.features()[1].dup()};
        lost[1].putScalar(new long[] {1, 0, 0}, Float.NaN);
        float[] found = RowMajor.floats(network.output(lost)[0]);
        int length = found.length / EXAMPLES;
        for (int i = 0; i < found.length; i++) {
            assertEquals(i / length == 1 ? Float.NaN : expected[i], found[i]);
        }
    }

    /** Prepared once more, as after transfer learning, it keeps its codes. */
    @Test
    void itStaysAsItIsWhenANetworkIsPreparedAgain() {
        Drawn drawn = projecting();
        ComputationGraph network =
                prepared(
                        drawn,
                        QuantSpec.of(LayerScheme.INT8)
                                .with(LayerSelector.named("other"), LayerScheme.FLOAT));
        ComputationGraph again =
                Quantization.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonMultiDataSetIterator(drawn.data()));
        assertInstanceOf(
                QuantizedAttentionVertex.class,
                again.getConfiguration().getVertices().get("attention/weighed"));
        EqualIntegers.lowered(again, drawn.features());
    }
}
