// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Self-attention becomes products of codes, which network, reference and runtime compute alike. */
class SelfAttentionsTest {

    private static final int NETWORKS = 40;
    private static final int EXAMPLES = 3;

    /** A network of one attention, and sequences for it. */
    private record Drawn(MultiLayerNetwork network, INDArray features, INDArray labels) {}

    private static Drawn drawn(Random random, boolean ends) {
        int size = 1 + random.nextInt(9);
        int steps = 1 + random.nextInt(12);
        int heads = 1 + random.nextInt(4);
        boolean projects = random.nextInt(3) != 0;
        int outputs = projects ? 1 + random.nextInt(9) : size;
        SelfAttentionLayer attention =
                new SelfAttentionLayer.Builder()
                        .nIn(size)
                        .nOut(outputs)
                        .nHeads(projects ? heads : 1)
                        .headSize(projects ? 1 + random.nextInt(6) : 0)
                        .projectInput(projects)
                        .build();
        NeuralNetConfiguration.ListBuilder layers =
                new NeuralNetConfiguration.Builder().seed(random.nextInt()).list();
        layers.layer(attention);
        if (!ends || !projects) {
            layers.layer(new ActivationLayer(Activation.TANH));
        }
        layers.layer(
                new RnnLossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build());
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        layers.setInputType(InputType.recurrent(size, steps)).build());
        network.init();
        return new Drawn(
                network,
                Nd4j.randn(EXAMPLES, size, steps).muli(2),
                Nd4j.rand(EXAMPLES, outputs, steps));
    }

    private static MultiLayerNetwork prepared(Drawn drawn, LayerScheme scheme) {
        return Quantization.prepare(
                drawn.network(),
                QuantSpec.of(scheme),
                new SingletonDataSetIterator(new DataSet(drawn.features(), drawn.labels())));
    }

    private static LayerScheme scheme(int seed) {
        LayerScheme int8 = LayerScheme.INT8;
        return switch (seed % 3) {
            case 0 -> int8;
            case 1 -> LayerScheme.ofBits(4, 5);
            default ->
                    new LayerScheme(
                            int8.weights(), int8.activations().withSymmetry(Symmetry.ASYMMETRIC));
        };
    }

    @Test
    void networkReferenceAndRuntimeComputeTheSameCodes() {
        long codes = 0;
        for (int seed = 0; seed < NETWORKS; seed++) {
            Nd4j.getRandom().setSeed(seed);
            Drawn drawn = drawn(new Random(seed), seed % 4 == 0);
            MultiLayerNetwork network = prepared(drawn, scheme(seed));
            if (seed % 2 == 0) {
                network.fit(drawn.features(), drawn.labels());
            }
            IntGraph graph = Quantization.lower(network);
            String which = "seed " + seed + ": " + graph.nodes();
            try (Engine reference = Engine.open("reference", graph);
                    Engine onnx = Engine.open("onnxruntime", graph)) {
                SimulatorCheck simulator = SimulatorCheck.between(network, reference);
                assertEquals(0, simulator.over(drawn.features()).differingCodes(), which);
                EqualityReport report =
                        EqualityCheck.between(reference, onnx)
                                .over(EngineInputs.of(graph, drawn.features()));
                assertTrue(report.equal(), () -> which + ": " + report);
                codes += report.codesCompared();
            }
        }
        assertTrue(codes > 20_000, codes + " codes compared");
    }

    /** Signals of 8 bits have about 40 dB each; a handful of them follow one another. */
    @Test
    void resultsAreNearTheFloatNetworks() {
        for (int seed = 0; seed < NETWORKS; seed += 3) {
            Nd4j.getRandom().setSeed(seed);
            Drawn drawn = drawn(new Random(seed), false);
            INDArray expected = drawn.network().output(drawn.features());
            INDArray found = prepared(drawn, LayerScheme.INT8).output(drawn.features());
            double noise = expected.sub(found).norm2Number().doubleValue();
            double signal = expected.norm2Number().doubleValue();
            int failing = seed;
            assertTrue(
                    noise < 0.05 * signal,
                    () -> "seed " + failing + ": noise " + noise + " of " + signal);
        }
    }

    /** A masked step weighs nothing: other values there change nothing elsewhere. */
    @Test
    void maskedStepsAreNoKeys() {
        for (int seed = 0; seed < 6; seed++) {
            Nd4j.getRandom().setSeed(seed);
            Drawn drawn = drawn(new Random(seed + 100), false);
            long steps = drawn.features().size(2);
            MultiLayerNetwork network = prepared(drawn, LayerScheme.INT8);
            INDArray mask = Nd4j.ones(EXAMPLES, steps);
            mask.putScalar(0, steps - 1, 0);
            INDArray other = drawn.features().dup();
            other.putScalar(new long[] {0, 0, steps - 1}, 1.5f);
            INDArray first = network.output(drawn.features(), false, mask, null);
            INDArray second = network.output(other, false, mask, null);
            for (int step = 0; step < steps - 1; step++) {
                assertEquals(
                        first.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(step))
                                .dup(),
                        second.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(step))
                                .dup());
            }
        }
    }

    @Test
    void aSequenceWithNanIsNanAndOthersAreNot() {
        Drawn drawn = drawn(new Random(2), false);
        MultiLayerNetwork network = prepared(drawn, LayerScheme.INT8);
        INDArray lost = drawn.features().dup();
        lost.putScalar(new long[] {1, 0, 0}, Float.NaN);
        float[] result = RowMajor.floats(network.output(lost));
        float[] expected = RowMajor.floats(network.output(drawn.features()));
        int length = result.length / EXAMPLES;
        for (int i = 0; i < result.length; i++) {
            assertEquals(i / length == 1 ? Float.NaN : expected[i], result[i]);
        }
        assertEquals(Map.of(), Quantization.lower(network).indexLimits(), "no index is looked up");
    }
}
