// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Lookup;
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
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Embeddings become rows of codes, and the network infers what engines look up. */
class EmbeddingsTest {

    private static final int NETWORKS = 60;
    private static final int EXAMPLES = 4;
    private static final int CLASSES = 3;

    private static final List<Activation> FUNCTIONS =
            List.of(
                    Activation.IDENTITY,
                    Activation.RELU,
                    Activation.TANH,
                    Activation.GELU,
                    Activation.RELU6);

    /** A network that begins with an embedding, and indices for it. */
    private record Drawn(MultiLayerNetwork network, INDArray indices, INDArray labels, int rows) {}

    private static Drawn drawn(Random random) {
        int rows = 2 + random.nextInt(30);
        int width = 1 + random.nextInt(20);
        int steps = 1 + random.nextInt(9);
        Activation function = FUNCTIONS.get(random.nextInt(FUNCTIONS.size()));
        boolean bias = random.nextBoolean();
        boolean sequence = random.nextInt(3) != 0;
        Layer embedding;
        Layer last;
        INDArray labels;
        long[] shape;
        if (sequence) {
            embedding =
                    new EmbeddingSequenceLayer.Builder()
                            .nIn(rows)
                            .nOut(width)
                            .hasBias(bias)
                            .activation(function)
                            .inputLength(steps)
                            .outputDataFormat(RNNFormat.NCW)
                            .build();
            last =
                    new RnnLossLayer.Builder(LossFunction.MSE)
                            .activation(Activation.IDENTITY)
                            .build();
            labels = Nd4j.rand(EXAMPLES, width, steps);
            shape =
                    random.nextBoolean()
                            ? new long[] {EXAMPLES, steps}
                            : new long[] {EXAMPLES, 1, steps};
        } else {
            embedding =
                    new EmbeddingLayer.Builder()
                            .nIn(rows)
                            .nOut(width)
                            .hasBias(bias)
                            .activation(function)
                            .build();
            last = output(width);
            labels = Nd4j.rand(EXAMPLES, CLASSES);
            shape = new long[] {EXAMPLES, 1};
        }
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(random.nextInt())
                                .list(embedding, new ActivationLayer(Activation.TANH), last)
                                .build());
        network.init();
        if (bias) {
            INDArray shift = network.getLayer(0).getParam("b");
            shift.assign(Nd4j.randn(shift.shape()).muli(0.3));
        }
        float[] indices = new float[EXAMPLES * (sequence ? steps : 1)];
        for (int i = 0; i < indices.length; i++) {
            indices[i] = random.nextInt(rows);
        }
        indices[0] = 1; // calibration refuses inputs that are 0 everywhere
        return new Drawn(network, RowMajor.array(indices, shape), labels, rows);
    }

    private static Layer output(int width) {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nIn(width)
                .nOut(CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static MultiLayerNetwork prepared(Drawn drawn, LayerScheme scheme) {
        return Quantization.prepare(
                drawn.network(),
                QuantSpec.of(scheme),
                new SingletonDataSetIterator(new DataSet(drawn.indices(), drawn.labels())));
    }

    private static LayerScheme scheme(int seed) {
        LayerScheme int8 = LayerScheme.INT8;
        return switch (seed % 3) {
            case 0 -> int8;
            case 1 -> LayerScheme.ofBits(4, 4);
            default ->
                    new LayerScheme(
                            int8.weights(), int8.activations().withSymmetry(Symmetry.ASYMMETRIC));
        };
    }

    @Test
    void networkReferenceAndRuntimeLookUpTheSameCodes() {
        long codes = 0;
        for (int seed = 0; seed < NETWORKS; seed++) {
            Nd4j.getRandom().setSeed(seed);
            Drawn drawn = drawn(new Random(seed));
            MultiLayerNetwork network = prepared(drawn, scheme(seed));
            if (seed % 2 == 0) {
                network.fit(drawn.indices(), drawn.labels());
            }
            IntGraph graph = Quantization.lower(network);
            String which = "seed " + seed + ": " + graph.nodes();
            try (Engine reference = Engine.open("reference", graph);
                    Engine onnx = Engine.open("onnxruntime", graph)) {
                SimulatorCheck simulator = SimulatorCheck.between(network, reference);
                assertEquals(0, simulator.over(drawn.indices()).differingCodes(), which);
                EqualityReport report =
                        EqualityCheck.between(reference, onnx)
                                .over(EngineInputs.of(graph, drawn.indices()));
                assertTrue(report.equal(), () -> which + ": " + report);
                codes += report.codesCompared();
            }
        }
        assertTrue(codes > 5_000, codes + " codes compared");
    }

    @Test
    void wholeNumbersOfTheTableAreTheOnlyIndices() {
        Drawn drawn = drawn(new Random(1));
        MultiLayerNetwork network = prepared(drawn, LayerScheme.INT8);
        IntGraph graph = Quantization.lower(network);
        String input = graph.inputs().get(0).name();
        assertEquals(Map.of(input, drawn.rows()), graph.indexLimits());
        for (float index : new float[] {-1, 0.5f, drawn.rows(), Float.POSITIVE_INFINITY}) {
            INDArray wrong = drawn.indices().dup();
            wrong.putScalar(wrong.length() - 1, index);
            long place = wrong.length() / EXAMPLES - 1;
            String rows = drawn.rows() + " rows";
            for (String engine : List.of("reference", "onnxruntime")) {
                try (Engine opened = Engine.open(engine, graph)) {
                    Map<String, Batch.Floats> inputs = EngineInputs.of(graph, wrong);
                    assertEquals(
                            String.format(
                                    "input '%s' is %s in example %d at index %d of %s; it is an"
                                            + " index of %s, a whole number from 0 to %d",
                                    input,
                                    index,
                                    EXAMPLES - 1,
                                    place,
                                    graph.type(input).shape(),
                                    rows,
                                    drawn.rows() - 1),
                            refusal(() -> opened.run(inputs)));
                }
            }
            String message =
                    String.format(
                            "layer \"layer0\" reads the index %s in example %d at place %d; it has"
                                    + " %s, and takes whole numbers from 0 to %d",
                            (double) index, EXAMPLES - 1, place, rows, drawn.rows() - 1);
            assertEquals(message, refusal(() -> network.output(wrong)));
            assertEquals(message, refusal(() -> network.fit(wrong, drawn.labels())));
        }
    }

    private static String refusal(Runnable run) {
        return String.valueOf(assertThrows(IllegalArgumentException.class, run::run).getMessage());
    }

    @Test
    void rowsAreCodesOfTheNodesRange() {
        Drawn drawn = drawn(new Random(2));
        IntGraph graph = Quantization.lower(prepared(drawn, LayerScheme.INT8));
        Lookup lookup =
                (Lookup)
                        graph.nodes().stream()
                                .filter(Lookup.class::isInstance)
                                .findFirst()
                                .orElseThrow();
        assertEquals(drawn.rows(), lookup.rows().count());
        assertEquals(
                "CodeRows[" + drawn.rows() + "x" + lookup.rows().width() + "]",
                lookup.rows().toString());
    }
}
