// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.RuntimeParams;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.PreparedNetwork;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Dense layers whose scales are found at run time: network, reference and runtime are equal. */
class DynamicLowersTest {

    private static final int NETWORKS = 12;
    private static final int CLASSES = 4;

    private static final Activation[] FUNCTIONS = {
        Activation.RELU,
        Activation.IDENTITY,
        Activation.LEAKYRELU,
        Activation.RELU6,
        Activation.HARDTANH
    };

    /** A float network, whose inputs and outputs are vectors. */
    private record Drawn(MultiLayerNetwork network, int inputs, int layers) {}

    private static Drawn drawn(Random random) {
        int inputs = 1 + random.nextInt(40);
        int layers = 1 + random.nextInt(3);
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(random.nextInt()).list();
        for (int i = 0; i < layers; i++) {
            boolean normalizes = random.nextInt(3) == 0;
            list.layer(
                    new DenseLayer.Builder()
                            .name("d" + i)
                            .nOut(1 + random.nextInt(30))
                            .hasBias(random.nextInt(4) != 0)
                            .activation(
                                    normalizes
                                            ? Activation.IDENTITY
                                            : FUNCTIONS[random.nextInt(FUNCTIONS.length)])
                            .build());
            if (normalizes) {
                list.layer(new BatchNormalization());
            }
        }
        list.layer(
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .name("out")
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build());
        MultiLayerNetwork network =
                new MultiLayerNetwork(list.setInputType(InputType.feedForward(inputs)).build());
        network.init();
        return new Drawn(network, inputs, layers);
    }

    private static INDArray labels(int count, Random random) {
        INDArray labels = Nd4j.zeros(count, CLASSES);
        for (int i = 0; i < count; i++) {
            labels.putScalar(i, random.nextInt(CLASSES), 1);
        }
        return labels;
    }

    private static float[] run(Engine engine, INDArray features) {
        return values(
                engine.run(EngineInputs.of(engine.graph(), features)).values().iterator().next());
    }

    private static float[] values(Batch batch) {
        return ((Batch.Floats) batch).values();
    }

    private static void requireEqual(IntGraph graph, float[] expected, INDArray features) {
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            assertArrayEquals(expected, run(reference, features), graph.nodes().toString());
            EqualityCheck.between(reference, onnx)
                    .over(EngineInputs.of(graph, features))
                    .requireEqual();
        }
    }

    private static QuantSpec spec(Random random, int layers) {
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8_DYNAMIC);
        if (random.nextInt(3) == 0) {
            spec =
                    spec.with(
                            LayerSelector.named("d" + random.nextInt(layers)),
                            new LayerScheme(
                                    TensorScheme.weights(4), TensorScheme.dynamicPerBatch()));
        }
        return random.nextInt(3) == 0
                ? spec.with(LayerSelector.named("d" + random.nextInt(layers)), LayerScheme.INT8)
                : spec;
    }

    @Test
    void networkReferenceAndRuntimeComputeTheSameValues() {
        int dynamic = 0;
        for (int seed = 0; seed < NETWORKS; seed++) {
            Nd4j.getRandom().setSeed(seed);
            Random random = new Random(seed);
            Drawn drawn = drawn(random);
            INDArray features = Nd4j.randn(5, drawn.inputs()).muli(1 + random.nextInt(20));
            DataSet data = new DataSet(features, labels(5, random));
            MultiLayerNetwork prepared =
                    Quantization.prepare(
                            drawn.network(),
                            spec(random, drawn.layers()),
                            new SingletonDataSetIterator(data));
            prepared.fit(data.copy());
            IntGraph graph = Quantization.lower(prepared);
            requireEqual(graph, RowMajor.floats(prepared.output(features)), features);
            dynamic += (int) graph.nodes().stream().filter(DynamicDense.class::isInstance).count();
        }
        assertTrue(dynamic > NETWORKS, dynamic + " nodes");
    }

    @Test
    void needsNoCalibrationData() {
        Nd4j.getRandom().setSeed(1);
        Drawn drawn = drawn(new Random(1));
        INDArray features = Nd4j.randn(7, drawn.inputs());
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8_DYNAMIC);
        MultiLayerNetwork prepared = Quantization.prepare(drawn.network(), spec);
        IntGraph graph = Quantization.lower(prepared);
        requireEqual(graph, RowMajor.floats(prepared.output(features)), features);
        ComputationGraph other = drawn.network().toComputationGraph();
        ComputationGraph both = Quantization.prepare(other, spec);
        requireEqual(
                Quantization.lower(both), RowMajor.floats(prepared.output(features)), features);
        double noise =
                drawn.network()
                        .output(features)
                        .sub(prepared.output(features))
                        .norm2Number()
                        .doubleValue();
        assertTrue(
                noise < 0.03 * drawn.network().output(features).norm2Number().doubleValue(),
                "noise " + noise);
    }

    @Test
    void anExampleHasTheSameResultInEveryBatch() {
        Nd4j.getRandom().setSeed(3);
        Drawn drawn = drawn(new Random(3));
        INDArray features = Nd4j.randn(32, drawn.inputs());
        MultiLayerNetwork prepared =
                Quantization.prepare(drawn.network(), QuantSpec.of(LayerScheme.INT8_DYNAMIC));
        INDArray all = prepared.output(features);
        for (int i = 0; i < 32; i++) {
            INDArray one = features.get(NDArrayIndex.interval(i, i + 1), NDArrayIndex.all());
            assertEquals(all.getRow(i, true), prepared.output(one.dup()));
        }
    }

    @Test
    void refusesWithoutDataWhatNeedsThem() {
        Drawn drawn = drawn(new Random(4));
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT8_DYNAMIC)
                        .with(LayerSelector.named("d0"), LayerScheme.INT8);
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Quantization.prepare(drawn.network(), spec))
                        .getMessage();
        assertTrue(message.startsWith("'d0' rounds a tensor with a scale that only"), message);
    }

    private static MultiLayerNetwork ofTwo(Activation function) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(5)
                                .list()
                                .layer(
                                        new DenseLayer.Builder()
                                                .name("first")
                                                .nOut(6)
                                                .activation(function)
                                                .build())
                                .layer(
                                        new OutputLayer.Builder(LossFunction.MSE)
                                                .name("last")
                                                .nOut(3)
                                                .activation(Activation.TANH)
                                                .build())
                                .setInputType(InputType.feedForward(5))
                                .build());
        network.init();
        return network;
    }

    @Test
    void refusesFunctionsBetweenThatOnlyEndNetworks() {
        MultiLayerNetwork network = ofTwo(Activation.TANH);
        PreparedNetwork<MultiLayerNetwork> prepared =
                Preparation.prepare(network, QuantSpec.of(LayerScheme.INT8_DYNAMIC));
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared.network()))
                        .getMessage();
        assertTrue(
                message.startsWith(
                        "layer 'last' cannot be lowered to integers: it computes with the float32"
                                + " results of 'first', whose activation function"),
                message);
        String forecast = String.valueOf(prepared.report().layer("last").obstacle());
        assertTrue(
                forecast.startsWith("it computes with the float32 results of 'first'"), forecast);
        assertTrue(prepared.report().layer("first").becomesIntegers());
        QuantSpec remedy =
                QuantSpec.of(LayerScheme.INT8_DYNAMIC)
                        .with(LayerSelector.named("first"), LayerScheme.INT8);
        INDArray features = Nd4j.randn(4, 5);
        MultiLayerNetwork other =
                Quantization.prepare(
                        network,
                        remedy,
                        new SingletonDataSetIterator(new DataSet(features, Nd4j.zeros(4, 3))));
        requireEqual(Quantization.lower(other), RowMajor.floats(other.output(features)), features);
    }

    @Test
    void saysWhichLayersFindNoScales() {
        MultiLayerNetwork network = TestNetworks.leNet();
        PreparedNetwork<MultiLayerNetwork> prepared =
                Preparation.prepare(network, QuantSpec.of(LayerScheme.INT8_DYNAMIC));
        String table = prepared.report().toString();
        assertTrue(table.contains("only dense and output layers find scales at run time"), table);
        assertTrue(table.contains("finds a scale for each row of its input at run time"), table);
        assertThrows(LoweringException.class, () -> Quantization.lower(prepared.network()));
    }

    /** A static convolution with pools before dense layers whose scales are found at run time. */
    @Test
    void convolutionsMayComeBefore() {
        Nd4j.getRandom().setSeed(8);
        DataSet data = TestNetworks.images(6, 1, 3);
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT8)
                        .with(LayerSelector.ofType("DenseLayer"), LayerScheme.INT8_DYNAMIC)
                        .with(LayerSelector.last(), LayerScheme.INT8_DYNAMIC);
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        TestNetworks.leNet(), spec, new SingletonDataSetIterator(data));
        prepared.fit(data.copy());
        IntGraph graph = Quantization.lower(prepared);
        assertTrue(graph.nodes().stream().anyMatch(DynamicDense.class::isInstance));
        requireEqual(
                graph, RowMajor.floats(prepared.output(data.getFeatures())), data.getFeatures());
    }

    /** As the rounding is taken for the identity, the gradient is that of rounded values. */
    @Test
    void gradientsPassTheRoundingUnchanged() {
        Nd4j.getRandom().setSeed(2);
        MultiLayerNetwork network = ofTwo(Activation.IDENTITY);
        MultiLayerNetwork prepared =
                Quantization.prepare(network, QuantSpec.of(LayerScheme.INT8_DYNAMIC));
        INDArray features = Nd4j.randn(1, 5);
        INDArray labels = Nd4j.rand(1, 3);
        prepared.setInput(features);
        prepared.setLabels(labels);
        prepared.computeGradientAndScore();
        // d loss / d W of the first layer is the rounded input times what arrives at its result.
        INDArray gradient = prepared.gradient().getGradientFor("0_W");
        INDArray bias = prepared.gradient().getGradientFor("0_b");
        RuntimeParams params = RuntimeParams.ofRow(RowMajor.floats(features), 0, 5, 1);
        for (int in = 0; in < 5; in++) {
            float rounded = params.distance(features.getFloat(0, in)) * params.scale();
            for (int out = 0; out < 6; out++) {
                assertEquals(rounded * bias.getFloat(out), gradient.getFloat(in, out), 1e-6);
            }
        }
        // What arrives there has passed the rounding of the second layer's input unchanged.
        WeightTensor weights =
                Quantization.lower(prepared).nodes().stream()
                        .filter(node -> node.name().equals("last"))
                        .map(node -> ((DynamicDense) node).weights())
                        .findFirst()
                        .orElseThrow();
        INDArray last = prepared.gradient().getGradientFor("1_b");
        for (int out = 0; out < 6; out++) {
            double sum = 0;
            for (int k = 0; k < 3; k++) {
                sum += last.getFloat(k) * weights.code(k * 6 + out) * weights.scale(k);
            }
            assertEquals(sum, bias.getFloat(out), 1e-6);
        }
    }

    @Test
    void modelFilesAndSpecsKeepTheScheme() throws Exception {
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT8_DYNAMIC)
                        .with(
                                LayerSelector.named("last"),
                                new LayerScheme(
                                        TensorScheme.INT8_WEIGHTS, TensorScheme.dynamicPerBatch()));
        assertEquals(spec, QuantSpec.fromJson(spec.toJson()));
        MultiLayerNetwork prepared = Quantization.prepare(ofTwo(Activation.RELU), spec);
        MultiLayerNetwork read =
                new MultiLayerNetwork(
                        MultiLayerConfiguration.fromJson(
                                prepared.getLayerWiseConfigurations().toJson()));
        read.init(prepared.params().dup(), false);
        INDArray features = Nd4j.randn(4, 5);
        assertEquals(prepared.output(features), read.output(features));
        assertEquals(Quantization.lower(prepared), Quantization.lower(read));
    }
}
