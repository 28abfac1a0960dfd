// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.layer.MaxPoolingLayer;
import org.dl4jquant.layer.MaximumVertex;
import org.dl4jquant.lower.TestNetworks;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * What depends on a feature that is NaN is NaN, as in DL4J's float network, and nothing else
 * changes; an infinite feature is the largest there is.
 */
class NanFeaturesTest {

    private static final int TRIES = 40;
    private static final int THOROUGH_TRIES = 5000;
    private static final int MOST_NAN = 3;

    /**
     * A network before and after it was prepared.
     *
     * @param name its subject
     * @param trained its result in float
     * @param quantized its result in integers
     * @param features finite ones
     */
    private record Sample(
            String name,
            UnaryOperator<INDArray> trained,
            UnaryOperator<INDArray> quantized,
            INDArray features) {

        static Sample of(String name, ComputationGraph network, DataSet data) {
            ComputationGraph quantized =
                    Preparation.prepare(
                                    network,
                                    QuantSpec.of(LayerScheme.INT8),
                                    new SingletonDataSetIterator(data))
                            .network();
            return new Sample(
                    name,
                    x -> network.output(x)[0].dup(),
                    x -> quantized.output(x)[0].dup(),
                    data.getFeatures());
        }

        static Sample of(String name, MultiLayerNetwork network, DataSet data) {
            return of(name, network, data, LayerScheme.INT8);
        }

        static Sample of(String name, MultiLayerNetwork network, DataSet data, LayerScheme scheme) {
            INDArray mask = data.getFeaturesMaskArray();
            MultiLayerNetwork quantized =
                    Preparation.prepare(
                                    network,
                                    QuantSpec.of(scheme),
                                    new SingletonDataSetIterator(data))
                            .network();
            return new Sample(
                    name,
                    x -> network.output(x, false, mask, null).dup(),
                    x -> quantized.output(x, false, mask, null).dup(),
                    data.getFeatures());
        }
    }

    private static final class Samples {
        static final List<Sample> ALL = all();

        private static List<Sample> all() {
            List<Sample> all = new ArrayList<>();
            for (SampleNetworks.Kind kind : SampleNetworks.all()) {
                // DL4J's layer normalization itself returns numbers for NaN.
                if (!kind.name().equals("dense with layer normalization")) {
                    all.add(Sample.of(kind.name(), kind.network(), kind.data()));
                }
            }
            DataSet grey = TestNetworks.images(4, 1, 5);
            DataSet colours = TestNetworks.images(4, 3, 5);
            all.add(Sample.of("LeNet", TestNetworks.leNet(), grey));
            all.add(Sample.of("clamp, then pool", TestNetworks.clampThenPool(), grey));
            all.add(Sample.of("pool first", TestNetworks.poolFirst(), grey));
            all.add(Sample.of("ResNet", TestNetworks.resNet(), colours));
            all.add(Sample.of("MobileNet", TestNetworks.mobileNet(), colours));
            all.add(Sample.of("sum with the input", TestNetworks.residualOnInput(), colours));
            for (Activation function : Activation.values()) {
                all.add(function(function, LayerScheme.INT8));
                all.add(Sample.of("plain " + function, plain(function), grey));
                all.add(last(function));
            }
            all.add(function(Activation.SIGMOID, LayerScheme.ofBits(4, 4)));
            all.add(function(Activation.TANH, asymmetric()));
            all.add(function(Activation.TANH, LayerScheme.FP16));
            for (ElementWiseVertex.Op op : ElementWiseVertex.Op.values()) {
                all.add(Sample.of("vertex " + op, joint(op), data(6)));
            }
            for (PoolingType type : PoolingType.values()) {
                all.add(sequence("LSTM, pool " + type, false, new GlobalPoolingLayer(type)));
                all.add(sequence("mask, LSTM, pool " + type, true, new GlobalPoolingLayer(type)));
            }
            return all;
        }

        private static LayerScheme asymmetric() {
            return new LayerScheme(
                    LayerScheme.INT8.weights(),
                    LayerScheme.INT8.activations().withSymmetry(Symmetry.ASYMMETRIC));
        }

        private static MultiLayerNetwork plain(Activation function) {
            return TestNetworks.plain(function.getActivationFunction());
        }

        private static Sample function(Activation function, LayerScheme scheme) {
            MultiLayerNetwork network =
                    Networks.of(
                            InputType.feedForward(6),
                            new DenseLayer.Builder().nOut(6).activation(function).build(),
                            new ActivationLayer(function.getActivationFunction()),
                            output());
            return Sample.of(function + " as " + scheme.widths(), network, data(6), scheme);
        }

        private static ComputationGraph joint(ElementWiseVertex.Op op) {
            ComputationGraph network =
                    new ComputationGraph(
                            new NeuralNetConfiguration.Builder()
                                    .seed(5)
                                    .graphBuilder()
                                    .addInputs("in")
                                    .setInputTypes(InputType.feedForward(6))
                                    .addLayer("a", new DenseLayer.Builder().nOut(6).build(), "in")
                                    .addVertex("it", new ElementWiseVertex(op), "in", "a")
                                    .addLayer("out", output(), "it")
                                    .setOutputs("out")
                                    .build());
            network.init();
            return network;
        }

        private static Sample last(Activation function) {
            Layer layer =
                    new OutputLayer.Builder(LossFunction.MSE)
                            .nOut(Networks.CLASSES)
                            .activation(function)
                            .build();
            return Sample.of(
                    "last " + function, Networks.of(InputType.feedForward(6), layer), data(6));
        }

        private static Sample sequence(String name, boolean masked, Layer pool) {
            MultiLayerNetwork network =
                    Networks.of(
                            InputType.recurrent(3, 5),
                            new LSTM.Builder().nOut(4).build(),
                            pool,
                            output());
            DataSet data = data(3, 5);
            if (masked) {
                INDArray mask = Nd4j.ones(4, 5);
                mask.putScalar(0, 4, 0);
                mask.putScalar(2, 3, 0);
                mask.putScalar(2, 4, 0);
                data.setFeaturesMaskArray(mask);
            }
            return Sample.of(name, network, data);
        }

        private static DataSet data(long... shape) {
            return Networks.data(4, shape);
        }
    }

    /** Softmax, a last layer for all samples. */
    private static Layer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    @Property(tries = TRIES)
    void whatDependsOnNanIsNanAndAllElseIsAsBefore(@ForAll Random random) {
        requireNanWhereItMatters(random);
    }

    @Tag("thorough")
    @Property(tries = THOROUGH_TRIES)
    void whatDependsOnNanIsNanInEverySample(@ForAll Random random) {
        requireNanWhereItMatters(random);
    }

    private static void requireNanWhereItMatters(Random random) {
        Sample sample = Samples.ALL.get(random.nextInt(Samples.ALL.size()));
        INDArray features = sample.features().dup('c');
        int examples = (int) features.size(0);
        int example = random.nextInt(examples);
        int length = (int) features.length() / examples;
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(MOST_NAN); i++) {
            places.add(random.nextInt(length));
            features.putScalar((long) example * length + places.get(i), Float.NaN);
        }
        String where = sample.name() + ", example " + example + ", NaN at " + places;

        // DL4J computes an activation layer that comes first in place, on what the caller gave it.
        float[] trained = RowMajor.floats(sample.trained().apply(features.dup()));
        float[] before = RowMajor.floats(sample.quantized().apply(sample.features().dup()));
        float[] after = RowMajor.floats(sample.quantized().apply(features));

        int results = after.length / examples;
        for (int i = 0; i < after.length; i++) {
            boolean mine = i / results == example;
            if (mine && Float.isNaN(trained[i])) {
                assertTrue(Float.isNaN(after[i]), where + ": NaN in float, here " + after[i]);
            }
            if (!mine || !Float.isNaN(after[i])) {
                assertEquals(before[i], after[i], where + ", result " + i);
            }
        }
    }

    @Test
    void aNanPixelMakesEveryClassOfItsImageNan() {
        MultiLayerNetwork trained = TestNetworks.leNet();
        DataSet data = TestNetworks.images(6, 1, 4);
        MultiLayerNetwork quantized =
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data));
        INDArray images = data.getFeatures().dup();
        INDArray before = quantized.output(images).dup();
        images.putScalar(new int[] {2, 0, 5, 6}, Float.NaN);

        INDArray after = quantized.output(images);

        for (int i = 0; i < 6; i++) {
            if (i == 2) {
                assertTrue(after.getRow(i).isNaN().all());
            } else {
                assertEquals(before.getRow(i), after.getRow(i));
            }
        }
    }

    @Test
    void anEvaluationRefusesNanInsteadOfCountingAClass() {
        DataSet data = TestNetworks.images(6, 1, 4);
        MultiLayerNetwork quantized =
                Quantization.prepare(
                        TestNetworks.plain(Activation.TANH.getActivationFunction()),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data));
        data.getFeatures().putScalar(new int[] {2, 0, 5, 6}, Float.NaN);

        String refusal =
                assertThrows(
                                IllegalStateException.class,
                                () -> quantized.evaluate(new SingletonDataSetIterator(data)))
                        .getMessage();

        assertTrue(refusal.contains("NaNs present in predictions"), refusal);
    }

    @Test
    void infiniteFeaturesSaturateInTheNetworkAndInTheEngines() {
        DataSet data = TestNetworks.images(6, 3, 4);
        ComputationGraph quantized =
                Quantization.prepare(
                        TestNetworks.mobileNet(),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data));
        INDArray infinite = data.getFeatures().dup('c');
        INDArray large = infinite.dup();
        for (int i = 0; i < infinite.length(); i += 7) {
            float sign = i % 2 == 0 ? 1 : -1;
            infinite.putScalar(i, sign * Float.POSITIVE_INFINITY);
            large.putScalar(i, sign * Float.MAX_VALUE);
        }

        assertEquals(quantized.output(large)[0], quantized.output(infinite)[0].dup());
        for (String name : List.of("reference", "onnxruntime")) {
            try (Engine engine = Engine.open(name, Quantization.lower(quantized))) {
                SimulatorReport report = SimulatorCheck.between(quantized, engine).over(infinite);
                assertEquals(0, report.differingCodes(), name);
                assertTrue(report.codes() > 0);
            }
        }
    }

    @Test
    void everySampleSaturatesInfiniteFeatures() {
        for (Sample sample : Samples.ALL) {
            if (sample.name().startsWith("embedding") || sample.name().contains("fp16")) {
                continue; // An infinite index has no row, and infinity is a number of binary16.
            }
            INDArray infinite = sample.features().dup('c');
            infinite.putScalar(1, Float.NEGATIVE_INFINITY);
            infinite.putScalar(infinite.length() - 1, Float.POSITIVE_INFINITY);
            INDArray large = sample.features().dup('c');
            large.putScalar(1, -Float.MAX_VALUE);
            large.putScalar(large.length() - 1, Float.MAX_VALUE);
            INDArray result = sample.quantized().apply(infinite);
            assertFalse(result.isNaN().any(), sample.name());
            assertEquals(sample.quantized().apply(large), result, sample.name());
        }
    }

    @Test
    void maxPoolsThatKeepNanAreReadFromAModelFile() {
        MultiLayerNetwork quantized =
                Quantization.prepare(
                        TestNetworks.leNet(),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(TestNetworks.images(4, 1, 4)));
        String json = quantized.getLayerWiseConfigurations().toJson();
        var restored = org.deeplearning4j.nn.conf.MultiLayerConfiguration.fromJson(json);
        assertEquals(quantized.getLayerWiseConfigurations(), restored);
        long pools =
                restored.getConfs().stream()
                        .map(conf -> conf.getLayer())
                        .filter(MaxPoolingLayer.class::isInstance)
                        .filter(
                                pool ->
                                        ((MaxPoolingLayer) pool).getUnderlying()
                                                instanceof SubsamplingLayer)
                        .count();
        assertEquals(2, pools);
    }

    @Test
    void aMaximumThatKeepsNanIsReadFromAModelFile(@TempDir Path folder) throws IOException {
        DataSet data = Networks.data(4, 6);
        ComputationGraph quantized =
                Quantization.prepare(
                        Samples.joint(ElementWiseVertex.Op.Max),
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(data));
        quantized.fit(data);
        File file = folder.resolve("model.zip").toFile();
        quantized.save(file);

        ComputationGraph restored = ComputationGraph.load(file, true);

        assertEquals(
                MaximumVertex.class,
                restored.getConfiguration().getVertices().get("it").getClass());
        assertEquals(quantized.getConfiguration(), restored.getConfiguration());
        INDArray features = data.getFeatures();
        assertEquals(quantized.output(features)[0], restored.output(features)[0]);
        features.putScalar(2, 1, Float.NaN);
        assertTrue(restored.output(features)[0].getRow(2).isNaN().all());
    }

    @Test
    void aStepOfASequenceDependsOnEarlierOnesOnly() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.recurrent(3, 5),
                        new LSTM.Builder().nOut(4).build(),
                        new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        INDArray features = Networks.normal(3, 2, 3, 5);
        MultiLayerNetwork quantized =
                Quantization.prepare(
                        network,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(new DataSet(features, null)));
        INDArray broken = features.dup();
        broken.putScalar(new int[] {1, 0, 3}, Float.NaN);
        INDArray result = quantized.output(broken);
        for (int step = 0; step < 5; step++) {
            assertEquals(step >= 3, Double.isNaN(result.getDouble(1, 0, step)), "step " + step);
        }
    }
}
