// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.LongRange;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Dense layers of each step of sequences lower, in both formats and for any number of steps. */
class TimeDistributedLowersTest {

    private static final int EXAMPLES = 6;
    private static final int FEATURES = 4;
    private static final int STEPS = 5;
    private static final int OTHER_STEPS = 8;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final LoweringOptions FREE = LoweringOptions.DEFAULT.withFreeSteps(true);

    /* Of the result's root mean square: the most of 30 drawn networks was 0.026. */
    private static final double MOST_ERROR = 0.15;

    private static final List<Activation> FUNCTIONS =
            List.of(
                    Activation.RELU,
                    Activation.IDENTITY,
                    Activation.RELU6,
                    Activation.LEAKYRELU,
                    Activation.TANH,
                    Activation.SIGMOID,
                    Activation.GELU);

    private static DenseLayer dense(int units, Activation function) {
        return new DenseLayer.Builder().nOut(units).activation(function).build();
    }

    private static RnnOutputLayer scores(RNNFormat format) {
        return new RnnOutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .dataFormat(format)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static INDArray sequences(long seed, RNNFormat format, int size, int steps) {
        INDArray channelsFirst = Networks.normal(seed, EXAMPLES, size, steps);
        return format == RNNFormat.NCW ? channelsFirst : channelsFirst.permute(0, 2, 1).dup('c');
    }

    private static MultiLayerNetwork network(RNNFormat format, Layer... layers) {
        return Networks.of(InputType.recurrent(FEATURES, STEPS, format), layers);
    }

    private static MultiLayerNetwork prepared(
            MultiLayerNetwork trained, RNNFormat format, QuantSpec spec) {
        DataSet data =
                new DataSet(
                        sequences(3, format, FEATURES, STEPS),
                        sequences(5, format, Networks.CLASSES, STEPS));
        MultiLayerNetwork prepared = Quantization.prepare(trained, spec, Networks.batches(data));
        prepared.fit(data.copy());
        return prepared;
    }

    private static void requireEqual(MultiLayerNetwork prepared, RNNFormat format) {
        requireEqual(prepared, Quantization.lower(prepared), format, STEPS);
        requireAnyNumberOfSteps(prepared, format);
    }

    private static void requireAnyNumberOfSteps(MultiLayerNetwork prepared, RNNFormat format) {
        IntGraph free = Quantization.lower(prepared, FREE);
        assertEquals(free, OnnxReader.fromBytes(OnnxWriter.toBytes(free), "written"));
        requireEqual(prepared, free, format, OTHER_STEPS);
    }

    private static void requireEqual(
            MultiLayerNetwork prepared, IntGraph graph, RNNFormat format, int steps) {
        INDArray features = sequences(4, format, FEATURES, steps).muli(1.5);
        Map<String, Batch.Floats> inputs = EngineInputs.of(graph, features);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            Batch.Floats found = (Batch.Floats) reference.run(inputs).get(graph.outputs().get(0));
            assertArrayEquals(RowMajor.floats(prepared.output(features)), found.values());
            EqualityCheck.between(reference, onnx).over(List.of(inputs)).requireEqual();
        }
    }

    private static void requireNear(
            MultiLayerNetwork trained, MultiLayerNetwork prepared, RNNFormat format) {
        INDArray features = sequences(3, format, FEATURES, STEPS);
        INDArray expected = trained.output(features);
        double error = prepared.output(features).sub(expected).norm2Number().doubleValue();
        double size = expected.norm2Number().doubleValue();
        assertTrue(error <= MOST_ERROR * size, error + " of " + size);
    }

    private static void requireDrawnLowers(long seed) {
        Random random = new Random(seed);
        RNNFormat format = random.nextBoolean() ? RNNFormat.NCW : RNNFormat.NWC;
        List<Layer> layers = new ArrayList<>();
        if (random.nextInt(3) == 0) {
            SimpleRnn rnn =
                    new SimpleRnn.Builder()
                            .nOut(1 + random.nextInt(5))
                            .activation(Activation.TANH)
                            .build();
            rnn.setRnnDataFormat(format);
            layers.add(rnn);
        }
        int many = 1 + random.nextInt(2);
        for (int i = 0; i < many; i++) {
            Activation function = FUNCTIONS.get(random.nextInt(FUNCTIONS.size()));
            layers.add(new TimeDistributed(dense(1 + random.nextInt(6), function), format));
        }
        layers.add(scores(format));
        MultiLayerNetwork trained = network(format, layers.toArray(new Layer[0]));
        DataSet data =
                new DataSet(
                        sequences(3, format, FEATURES, STEPS),
                        sequences(5, format, Networks.CLASSES, STEPS));
        MultiLayerNetwork before = Quantization.prepare(trained, INT8, Networks.batches(data));
        requireNear(trained, before, format);
        before.fit(data.copy());
        requireEqual(before, format);
    }

    @Property(tries = 4)
    void drawnNetworksLower(@ForAll @LongRange(min = 0) long seed) {
        requireDrawnLowers(seed);
    }

    @Property(tries = 30)
    @Tag("thorough")
    void manyDrawnNetworksLower(@ForAll @LongRange(min = 0) long seed) {
        requireDrawnLowers(seed);
    }

    @Test
    void anActivationLayerAfterItBecomesAPartOfIt() {
        for (RNNFormat format : RNNFormat.values()) {
            MultiLayerNetwork trained =
                    network(
                            format,
                            new TimeDistributed(dense(3, Activation.IDENTITY), format),
                            new ActivationLayer(Activation.TANH),
                            scores(format));
            requireEqual(prepared(trained, format, INT8), format);
        }
    }

    /* DL4J trains this loss of sequences in NCW alone. */
    @Test
    void itMayBeTheLastLayerWithWeights() {
        RnnLossLayer loss =
                new RnnLossLayer.Builder(LossFunction.MCXENT)
                        .activation(Activation.SOFTMAX)
                        .build();
        MultiLayerNetwork trained =
                network(
                        RNNFormat.NCW,
                        new TimeDistributed(dense(Networks.CLASSES, Activation.IDENTITY)),
                        loss);
        requireEqual(prepared(trained, RNNFormat.NCW, INT8), RNNFormat.NCW);
    }

    @Test
    void itFindsAScaleForEachStep() {
        QuantSpec spec = INT8.with(LayerSelector.named("layer0"), LayerScheme.INT8_DYNAMIC);
        for (RNNFormat format : RNNFormat.values()) {
            MultiLayerNetwork trained =
                    network(
                            format,
                            new TimeDistributed(dense(3, Activation.RELU), format),
                            scores(format));
            MultiLayerNetwork prepared = prepared(trained, format, spec);
            requireEqual(prepared, Quantization.lower(prepared), format, STEPS);
        }
    }

    private static void requireRefused(Layer inside, String reason) {
        MultiLayerNetwork trained =
                network(RNNFormat.NCW, new TimeDistributed(inside), scores(RNNFormat.NCW));
        DataSet data =
                new DataSet(
                        sequences(3, RNNFormat.NCW, FEATURES, STEPS),
                        sequences(5, RNNFormat.NCW, Networks.CLASSES, STEPS));
        var prepared = Preparation.prepare(trained, INT8, Networks.batches(data));
        assertNotNull(prepared.report().layers().get(0).obstacle());
        LoweringException refused =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared.network()));
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
    }

    @Test
    void otherLayersAndFunctionsAreRefusedByName() {
        requireRefused(dense(3, Activation.SOFTMAX), "ActivationSoftmax");
        requireRefused(new FrozenLayer(dense(3, Activation.RELU)), "freeze the whole");
        requireRefused(
                new DenseLayer.Builder().nOut(3).hasLayerNorm(true).build(),
                "TimeDistributed around DenseLayer with layer normalization");
        requireRefused(
                new ElementWiseMultiplicationLayer.Builder().nOut(FEATURES).build(),
                "TimeDistributed around ElementWiseMultiplicationLayer");
    }

    /** DL4J gives the steps of a batch and their masks different orders. */
    @Test
    void masksAreRefusedByName() {
        MultiLayerNetwork trained =
                network(
                        RNNFormat.NCW,
                        new TimeDistributed(dense(3, Activation.RELU)),
                        new SimpleRnn.Builder().nOut(3).activation(Activation.TANH).build(),
                        scores(RNNFormat.NCW));
        MultiLayerNetwork prepared = prepared(trained, RNNFormat.NCW, INT8);
        LoweringException refused =
                assertThrows(
                        LoweringException.class,
                        () ->
                                Quantization.lower(
                                        prepared, LoweringOptions.DEFAULT.withMasks(true)));
        assertTrue(refused.getMessage().contains("layer0"), refused.getMessage());
        assertTrue(refused.getMessage().contains("does not obey"), refused.getMessage());
    }
}
