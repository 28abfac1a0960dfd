// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.StreamGraph;
import org.dl4jquant.lower.LoweringOptions;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Sequences piece by piece: the codes of the whole sequence, and of DL4J's rnnTimeStep. */
@SuppressWarnings("deprecation") // GravesLSTM
class RecurrentStreamTest {

    private static final int FEATURES = 3;
    private static final int EXAMPLES = 2;
    private static final LoweringOptions FREE = LoweringOptions.DEFAULT.withFreeSteps(true);

    private static MultiLayerNetwork prepared(Layer... hidden) {
        Layer[] layers = new Layer[hidden.length + 1];
        System.arraycopy(hidden, 0, layers, 0, hidden.length);
        layers[hidden.length] =
                new RnnOutputLayer.Builder(LossFunction.MSE)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build();
        MultiLayerNetwork trained = Networks.of(InputType.recurrent(FEATURES, 6), layers);
        DataSet data = new DataSet(Networks.normal(1, 8, FEATURES, 6), Networks.normal(2, 8, 2, 6));
        return Quantization.prepare(
                trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
    }

    private static LSTM lstm() {
        return new LSTM.Builder().nOut(5).activation(Activation.TANH).build();
    }

    private static Layer drawn(Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> lstm();
            case 1 -> new GravesLSTM.Builder().nOut(4).activation(Activation.TANH).build();
            default -> new SimpleRnn.Builder().nOut(6).activation(Activation.TANH).build();
        };
    }

    private static INDArray piece(INDArray all, int from, int to) {
        return all.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(from, to))
                .dup('c');
    }

    /* The whole sequence at once, and each piece in DL4J and in both engines. */
    private static void requireEqual(MultiLayerNetwork network, int steps, Random random) {
        IntGraph graph = Quantization.lower(network, FREE);
        StreamGraph states = StreamGraph.of(graph);
        assertEquals(
                states.graph(),
                OnnxReader.fromBytes(OnnxWriter.toBytes(states.graph()), "written"));
        INDArray all = Networks.normal(random.nextLong(), EXAMPLES, FEATURES, steps);
        INDArray whole = network.output(all);
        network.rnnClearPreviousState();
        try (Engine reference = Engine.open("reference", states.graph());
                Engine onnx = Engine.open("onnxruntime", states.graph())) {
            List<RecurrentStream> streams =
                    List.of(
                            new RecurrentStream(states, reference),
                            new RecurrentStream(states, onnx));
            String output = graph.outputs().get(0);
            for (int from = 0; from < steps; ) {
                int to = Math.min(steps, from + 1 + random.nextInt(Math.max(1, steps / 8)));
                INDArray piece = piece(all, from, to);
                float[] expected = RowMajor.floats(piece(whole, from, to));
                assertArrayEquals(expected, RowMajor.floats(network.rnnTimeStep(piece)));
                Batch.Floats input =
                        Batch.Floats.of(
                                EXAMPLES, Shape.of(FEATURES, to - from), RowMajor.floats(piece));
                for (RecurrentStream stream : streams) {
                    Map<String, Batch> found = stream.run(Map.of("input", input));
                    assertEquals(List.of(output), List.copyOf(found.keySet()));
                    assertArrayEquals(expected, ((Batch.Floats) found.get(output)).values());
                }
                from = to;
            }
            requireStatesOfDl4j(network, streams.get(0));
        }
    }

    private static void requireStatesOfDl4j(MultiLayerNetwork network, RecurrentStream stream) {
        assertArrayEquals(
                RowMajor.floats(network.rnnGetPreviousState(0).get("prevAct")),
                stream.states().get("layer0.hidden").values());
    }

    @Property(tries = 4)
    void piecesHaveTheCodesOfTheWhole(@ForAll @LongRange(min = 0) long seed) {
        Random random = new Random(seed);
        Layer[] layers = new Layer[1 + random.nextInt(2)];
        Arrays.setAll(layers, at -> drawn(random));
        requireEqual(prepared(layers), 1 + random.nextInt(24), random);
    }

    @Test
    void noCodeDiffersAfterAThousandSteps() {
        requireEqual(prepared(lstm(), lstm()), 1000, new Random(3));
    }

    @Test
    void aStreamGoesOnFromStatesThatWereKept() {
        StreamGraph states = StreamGraph.of(Quantization.lower(prepared(lstm()), FREE));
        Batch.Floats steps =
                Batch.Floats.of(1, Shape.of(FEATURES, 2), new float[] {1, -1, .5f, 0, 2, 1});
        try (Engine engine = Engine.open("reference", states.graph())) {
            RecurrentStream stream = new RecurrentStream(states, engine);
            Map<String, Batch> first = stream.run(Map.of("input", steps));
            Map<String, Batch.Floats> kept = stream.states();
            Map<String, Batch> second = stream.run(Map.of("input", steps));
            RecurrentStream other = new RecurrentStream(states, engine);
            other.setStates(kept);
            assertArrayEquals(values(second), values(other.run(Map.of("input", steps))));
            other.reset();
            assertArrayEquals(values(first), values(other.run(Map.of("input", steps))));
        }
    }

    private static float[] values(Map<String, Batch> results) {
        return ((Batch.Floats) results.values().iterator().next()).values();
    }

    @Test
    void otherExamplesAndNetworksWithoutStreamsAreNamed() {
        StreamGraph states = StreamGraph.of(Quantization.lower(prepared(lstm()), FREE));
        try (Engine engine = Engine.open("reference", states.graph())) {
            RecurrentStream stream = new RecurrentStream(states, engine);
            Shape shape = Shape.of(FEATURES, 1);
            stream.run(Map.of("input", Batch.Floats.of(2, shape, new float[6])));
            Map<String, Batch.Floats> three =
                    Map.of("input", Batch.Floats.of(3, shape, new float[9]));
            requireRefused("the stream has the states of 2 examples", () -> stream.run(three));
            requireRefused(
                    "the graph has no state 'x'",
                    () -> stream.setStates(Map.of("x", three.get("input"))));
        }
        IntGraph both = Quantization.lower(prepared(new Bidirectional(lstm())), FREE);
        requireRefused(
                "recurrent 'layer0/backwards' begins with the last step",
                () -> StreamGraph.of(both));
        IntGraph fixed = Quantization.lower(prepared(lstm()));
        requireRefused(fixed + " takes a fixed number of steps", () -> StreamGraph.of(fixed));
    }

    private static void requireRefused(String message, Runnable call) {
        String found = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(found.startsWith(message), found);
    }
}
