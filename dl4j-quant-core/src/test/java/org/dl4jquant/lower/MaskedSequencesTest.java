// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

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
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.LongRange;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Sequences of several lengths in one batch: graphs obey masks as the network does. */
class MaskedSequencesTest {

    private static final LoweringOptions MASKS = LoweringOptions.DEFAULT.withMasks(true);

    /* Of networks of one to six units, in decibel: the least of 150 was 14.8. */
    private static final double LEAST_RATIO = 10;

    /* Products of small states vanish: below 0.01 there is nothing to compare. */
    private static final double LEAST_SIGNAL = 1e-4;

    private static float[] run(Engine engine, Map<String, Batch.Floats> inputs) {
        String output = engine.graph().outputs().get(0);
        return ((Batch.Floats) engine.run(inputs).get(output)).values();
    }

    private static void requireEqual(long seed) {
        Random random = new Random(seed);
        DrawnSequences drawn = DrawnSequences.of(random, true);
        IntGraph graph = Quantization.lower(drawn.prepared(), MASKS);
        assertEquals(
                List.of("input", "input.mask"),
                graph.inputs().stream().map(i -> i.name()).toList());
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "written"));
        int examples = 1 + random.nextInt(5);
        INDArray features = drawn.features(random, examples);
        INDArray mask =
                random.nextBoolean()
                        ? DrawnSequences.lengths(random, examples, drawn.steps())
                        : DrawnSequences.holes(random, examples, drawn.steps());
        float[] expected = RowMajor.floats(drawn.prepared().output(features, false, mask, null));
        Map<String, Batch.Floats> inputs = EngineInputs.of(graph, features, mask);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            assertArrayEquals(expected, run(reference, inputs));
            EqualityCheck.between(reference, onnx).over(List.of(inputs)).requireEqual();
        }
        requireNearFloat(drawn, seed);
    }

    /* On the data that the scales were fitted to: other sequences may saturate small networks. */
    private static void requireNearFloat(DrawnSequences drawn, long seed) {
        INDArray features = drawn.data().getFeatures();
        INDArray mask = drawn.data().getFeaturesMaskArray();
        double ratio =
                ratio(
                        RowMajor.floats(drawn.trained().output(features, false, mask, null)),
                        RowMajor.floats(drawn.prepared().output(features, false, mask, null)));
        assertTrue(ratio > LEAST_RATIO, () -> "seed " + seed + ": " + ratio);
    }

    /** {@return the signal-to-noise ratio, in decibel} */
    private static double ratio(float[] exact, float[] rounded) {
        double signal = exact.length * LEAST_SIGNAL;
        double noise = 1e-12;
        for (int i = 0; i < exact.length; i++) {
            signal += exact[i] * exact[i];
            noise += Math.pow(exact[i] - rounded[i], 2);
        }
        return 10 * Math.log10(signal / noise);
    }

    @Property(tries = 8)
    void enginesObeyMasksAsTheNetworkDoes(@ForAll @LongRange(min = 0) long seed) {
        requireEqual(seed);
    }

    @Property(tries = 150)
    @Tag("thorough")
    void enginesObeyMasksAsManyNetworksDo(@ForAll @LongRange(min = 0) long seed) {
        requireEqual(seed);
    }

    private static MultiLayerNetwork lastStep(Layer recurrent, int steps) {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.recurrent(3, steps),
                        new LastTimeStep(recurrent),
                        DrawnSequences.one());
        DataSet data = new DataSet(Networks.normal(5, 8, 3, steps), Networks.labels(8));
        return Quantization.prepare(
                trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
    }

    @Test
    void codesOf16BitsObeyMasks() {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.recurrent(3, 5),
                        new GlobalPoolingLayer(PoolingType.MAX),
                        new DenseLayer.Builder().nOut(4).activation(Activation.RELU).build(),
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nOut(Networks.CLASSES)
                                .activation(Activation.IDENTITY)
                                .build());
        INDArray features = Networks.normal(1, 4, 3, 5);
        INDArray mask = DrawnSequences.lengths(new Random(1), 4, 5);
        DataSet data = new DataSet(features, Networks.normal(2, 4, Networks.CLASSES), mask, null);
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        trained, QuantSpec.of(LayerScheme.INT16), Networks.batches(data));
        IntGraph graph = Quantization.lower(prepared, MASKS);
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "written"));
        Map<String, Batch.Floats> inputs = EngineInputs.of(graph, features, mask);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            assertArrayEquals(
                    RowMajor.floats(prepared.output(features, false, mask, null)),
                    run(reference, inputs));
            EqualityCheck.between(reference, onnx).over(List.of(inputs)).requireEqual();
        }
    }

    @Test
    void eachSequenceOfABatchHasTheCodesItHasAlone() {
        int steps = 6;
        Layer both =
                new Bidirectional(new LSTM.Builder().nOut(4).activation(Activation.TANH).build());
        MultiLayerNetwork network = lastStep(both, steps);
        INDArray features = Networks.normal(6, steps, 3, steps);
        INDArray mask = Nd4j.zeros(steps, steps);
        for (int i = 0; i < steps; i++) {
            mask.get(NDArrayIndex.point(i), NDArrayIndex.interval(0, i + 1)).assign(1);
        }
        IntGraph graph = Quantization.lower(network, MASKS);
        float[] batch;
        try (Engine engine = Engine.open("reference", graph)) {
            batch = run(engine, EngineInputs.of(graph, features, mask));
        }
        for (int i = 0; i < steps; i++) {
            INDArray alone =
                    features.get(
                                    NDArrayIndex.interval(i, i + 1),
                                    NDArrayIndex.all(),
                                    NDArrayIndex.interval(0, i + 1))
                            .dup();
            float[] own = Arrays.copyOfRange(batch, 3 * i, 3 * (i + 1));
            assertArrayEquals(RowMajor.floats(network.output(alone)), own);
        }
    }

    @Test
    void enginesNameWhatIsWrongWithAMask() {
        MultiLayerNetwork network =
                lastStep(new SimpleRnn.Builder().nOut(2).activation(Activation.TANH).build(), 4);
        IntGraph graph = Quantization.lower(network, MASKS);
        INDArray features = Networks.normal(6, 2, 3, 4);
        for (String name : List.of("reference", "onnxruntime")) {
            try (Engine engine = Engine.open(name, graph)) {
                requireRefused(
                        engine,
                        EngineInputs.of(graph, features, Nd4j.ones(2, 4).putScalar(1, 2, 0.5)),
                        "input 'input.mask' is 0.5 in example 1 at step 2; it is a mask");
                requireRefused(
                        engine,
                        Map.of(
                                "input", Batch.Floats.of(2, Shape.of(3, 4), new float[24]),
                                "input.mask", Batch.Floats.of(2, Shape.of(3), new float[6])),
                        "input 'input.mask' has examples of shape [3]; the graph takes [4]");
                requireRefused(
                        engine,
                        EngineInputs.of(
                                graph, features, Nd4j.ones(2, 4).putScalar(0, 1, Float.NaN)),
                        "input 'input.mask' is NaN in example 0 at index 1");
            }
        }
    }

    @Test
    void enginesRefuseTheMaximumOfNoSteps() {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.recurrent(3, 4),
                        new SimpleRnn.Builder().nOut(2).activation(Activation.TANH).build(),
                        new GlobalPoolingLayer.Builder(PoolingType.MAX).build(),
                        DrawnSequences.one());
        DataSet data = new DataSet(Networks.normal(5, 8, 3, 4), Networks.labels(8));
        IntGraph graph =
                Quantization.lower(
                        Quantization.prepare(
                                trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data)),
                        MASKS);
        INDArray mask = Nd4j.ones(2, 4);
        mask.getRow(1).assign(0);
        try (Engine engine = Engine.open("reference", graph)) {
            requireRefused(
                    engine,
                    EngineInputs.of(graph, Networks.normal(6, 2, 3, 4), mask),
                    "input 'input.mask' hides all 4 steps of example 1");
        }
    }

    private static void requireRefused(
            Engine engine, Map<String, Batch.Floats> inputs, String message) {
        String found =
                assertThrows(IllegalArgumentException.class, () -> engine.run(inputs)).getMessage();
        assertTrue(found.startsWith(message), found);
    }

    @Test
    void aNetworkWithoutSequencesHasNoMasks() {
        MultiLayerNetwork trained =
                Networks.of(
                        InputType.feedForward(3),
                        new DenseLayer.Builder().nOut(2).activation(Activation.RELU).build(),
                        DrawnSequences.one());
        DataSet data = new DataSet(Networks.normal(5, 8, 3), Networks.labels(8));
        MultiLayerNetwork network =
                Quantization.prepare(
                        trained, QuantSpec.of(LayerScheme.INT8), Networks.batches(data));
        String refused =
                assertThrows(LoweringException.class, () -> Quantization.lower(network, MASKS))
                        .getMessage();
        assertTrue(refused.contains("which no step of the network reads"), refused);
    }
}
