// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.transferlearning.TransferLearningHelper;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** {@code prepare} quantizes what is not quantized yet, and leaves what is as it is. */
class PartialPreparationTest {

    private static final int NEW_CLASSES = 2;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final FineTuneConfiguration FINE_TUNING =
            new FineTuneConfiguration.Builder().updater(new Adam(0.01)).seed(9).build();

    private static DenseLayer dense(String name, Activation activation) {
        return new DenseLayer.Builder().name(name).nIn(8).nOut(8).activation(activation).build();
    }

    private static OutputLayer output(String name, int classes) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name(name)
                .nIn(8)
                .nOut(classes)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork chain() {
        return Networks.of(
                InputType.feedForward(8),
                dense("first", Activation.RELU),
                dense("second", Activation.TANH),
                output("last", Networks.CLASSES));
    }

    private static ComputationGraph residual() {
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .updater(new Adam(0.01))
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.feedForward(8))
                                .addLayer("branch", dense("branch", Activation.RELU), "in")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "in",
                                        "branch")
                                .addLayer("middle", dense("middle", Activation.RELU), "sum")
                                .addVertex(
                                        "again",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "sum",
                                        "middle")
                                .addLayer("relu", new ActivationLayer(Activation.RELU), "again")
                                .addLayer("last", output("last", Networks.CLASSES), "relu")
                                .setOutputs("last")
                                .build());
        network.init();
        return network;
    }

    private static DataSet data() {
        return Networks.data(24, 8);
    }

    private static DataSet newData() {
        INDArray labels = Nd4j.zeros(24, NEW_CLASSES);
        for (int i = 0; i < 24; i++) {
            labels.putScalar(i, i % Networks.CLASSES == 0 ? 0 : 1, 1);
        }
        return new DataSet(data().getFeatures(), labels);
    }

    private static DataSetIterator batch() {
        return new SingletonDataSetIterator(data());
    }

    /** The parameters of all quantized layers, by name and key. */
    private static Map<String, INDArray> quantized(Layer[] layers) {
        Map<String, INDArray> parameters = new TreeMap<>();
        for (Layer layer : layers) {
            QuantizedLayers.configuration(layer)
                    .map(QuantizedLayer::outputName)
                    .ifPresent(
                            name ->
                                    layer.paramTable()
                                            .forEach(
                                                    (key, value) ->
                                                            parameters.put(
                                                                    name + "/" + key,
                                                                    value.dup())));
        }
        return parameters;
    }

    private static void requireKept(Map<String, INDArray> before, Layer[] layers) {
        Map<String, INDArray> after = quantized(layers);
        assertTrue(after.size() > before.size());
        before.forEach((key, value) -> assertEquals(value, after.get(key), key));
    }

    private static void requireExact(MultiLayerNetwork network, INDArray x) {
        try (Engine engine = Engine.open("reference", Quantization.lower(network))) {
            requireEqual(SimulatorCheck.between(network, engine).over(x));
        }
    }

    private static void requireExact(ComputationGraph network, INDArray x) {
        try (Engine engine = Engine.open("reference", Quantization.lower(network))) {
            requireEqual(SimulatorCheck.between(network, engine).over(x));
        }
    }

    private static void requireEqual(SimulatorReport report) {
        assertTrue(report.codes() > 0);
        assertEquals(0, report.differingCodes());
    }

    @Test
    void aNewOutputLayerIsQuantizedAndLowers() {
        MultiLayerNetwork old = Preparation.prepare(chain(), INT8, batch()).network();
        old.fit(data());
        MultiLayerNetwork changed =
                new TransferLearning.Builder(old)
                        .fineTuneConfiguration(FINE_TUNING)
                        .setFeatureExtractor(1)
                        .removeOutputLayer()
                        .addLayer(output("new", NEW_CLASSES))
                        .build();
        Map<String, INDArray> kept = quantized(changed.getLayers());
        INDArray parameters = changed.params().dup();
        String conf = changed.getLayerWiseConfigurations().toJson();
        PreparedNetwork<MultiLayerNetwork> prepared = Preparation.prepare(changed, INT8, batch());
        MultiLayerNetwork network = prepared.network();
        assertEquals(parameters, changed.params());
        assertEquals(conf, changed.getLayerWiseConfigurations().toJson());
        requireKept(kept, network.getLayers());
        assertTrue(
                prepared.report().layer("second").remark().startsWith("quantized already"),
                prepared.report()::toString);
        assertEquals(
                "input from 'second', result in float", prepared.report().layer("new").remark());
        requireExact(network, data().getFeatures());
        double before = network.score(newData());
        for (int i = 0; i < 10; i++) {
            network.fit(newData());
        }
        assertTrue(network.score(newData()) < before);
        kept.forEach(
                (key, value) -> assertEquals(value, quantized(network.getLayers()).get(key), key));
        requireExact(network, data().getFeatures());
    }

    @Test
    void aNewOutputLayerOfAGraphIsQuantizedAndLowers() {
        ComputationGraph old = Preparation.prepare(residual(), INT8, batch()).network();
        old.fit(data());
        ComputationGraph changed =
                new TransferLearning.GraphBuilder(old)
                        .fineTuneConfiguration(FINE_TUNING)
                        .setFeatureExtractor("relu")
                        .removeVertexAndConnections("last")
                        .addLayer("new", output("new", NEW_CLASSES), "relu")
                        .setOutputs("new")
                        .build();
        Map<String, INDArray> kept = quantized(changed.getLayers());
        ComputationGraph network = Preparation.prepare(changed, INT8, batch()).network();
        requireKept(kept, network.getLayers());
        requireExact(network, data().getFeatures());
        network.fit(newData());
        requireExact(network, data().getFeatures());
    }

    /** A tensor that no layer reads as codes is no codes; a quantized layer stays unchanged. */
    @Test
    void theReportSaysWhereARemainingFloatResultKeepsANetworkFromLowering() {
        MultiLayerNetwork old =
                Preparation.prepare(
                                chain(),
                                INT8.with(LayerSelector.named("last"), LayerScheme.FLOAT),
                                batch())
                        .network();
        MultiLayerNetwork changed =
                new TransferLearning.Builder(old)
                        .fineTuneConfiguration(FINE_TUNING)
                        .nOutReplace(2, NEW_CLASSES, WeightInit.XAVIER)
                        .build();
        Map<String, INDArray> kept = quantized(changed.getLayers());
        PreparedNetwork<MultiLayerNetwork> prepared = Preparation.prepare(changed, INT8, batch());
        requireKept(kept, prepared.network().getLayers());
        prepared.network().fit(newData());
        assertEquals(
                "rounds its input, result in float; will not lower: 'second' was quantized while"
                        + " nothing read codes of it, and keeps its result in float",
                prepared.report().layer("last").remark());
    }

    @Test
    void aNewLayerOfTheOldOnesNameServesTheOldReaders() {
        ComputationGraph old = Preparation.prepare(residual(), INT8, batch()).network();
        ComputationGraph changed =
                new TransferLearning.GraphBuilder(old)
                        .removeVertexKeepConnections("middle")
                        .addLayer("middle", dense("middle", Activation.RELU), "sum/quantized")
                        .build();
        Map<String, INDArray> kept = quantized(changed.getLayers());
        assertFalse(kept.containsKey("middle/W"));
        ComputationGraph network = Preparation.prepare(changed, INT8, batch()).network();
        requireKept(kept, network.getLayers());
        requireExact(network, data().getFeatures());
        network.fit(data());
        requireExact(network, data().getFeatures());
    }

    @Test
    void aNewLayerOfAnotherNameBeforeAQuantizedOneIsRefused() {
        ComputationGraph old =
                Preparation.prepare(chain().toComputationGraph(), INT8, batch()).network();
        ComputationGraph changed =
                new TransferLearning.GraphBuilder(old)
                        .removeVertexAndConnections("1")
                        .removeVertexAndConnections("2")
                        .addLayer("other", dense("other", Activation.TANH), "0")
                        .addLayer("2", old.getLayer("2").conf().getLayer().clone(), "other")
                        .setOutputs("2")
                        .build();
        String message = refusal(changed);
        assertTrue(
                message.contains("'2' is quantized already") && message.contains("'other'"),
                message);
    }

    @Test
    void aNewLayerWithTheNameOfOldCodesIsRefused() {
        ComputationGraph old =
                Preparation.prepare(chain(), INT8, batch()).network().toComputationGraph();
        ComputationGraph changed =
                new TransferLearning.GraphBuilder(old)
                        .removeVertexAndConnections("2")
                        .addLayer("first", output("first", NEW_CLASSES), "1")
                        .setOutputs("first")
                        .build();
        String message = refusal(changed);
        assertTrue(message.contains("give the new layer another name"), message);
    }

    @Test
    void anOutputLayerGetsOtherClasses() {
        MultiLayerNetwork old = Preparation.prepare(chain(), INT8, batch()).network();
        old.fit(data());
        INDArray before = old.params().dup();
        MultiLayerNetwork changed = OutputLayers.replace(old, NEW_CLASSES);
        Map<String, INDArray> kept = quantized(changed.getLayers());
        assertEquals(
                old.feedForward(data().getFeatures()).get(2),
                changed.feedForward(data().getFeatures()).get(2));
        MultiLayerNetwork network = Preparation.prepare(changed, INT8, batch()).network();
        requireKept(kept, network.getLayers());
        double score = network.score(newData());
        for (int i = 0; i < 10; i++) {
            network.fit(newData());
        }
        assertTrue(network.score(newData()) < score);
        requireExact(network, data().getFeatures());
        assertEquals(before, old.params());
    }

    @Test
    void anOutputLayerOfAGraphGetsOtherClasses() {
        ComputationGraph old = Preparation.prepare(residual(), INT8, batch()).network();
        ComputationGraph changed = OutputLayers.replace(old, "last", NEW_CLASSES);
        Map<String, INDArray> kept = quantized(changed.getLayers());
        ComputationGraph network = Preparation.prepare(changed, INT8, batch()).network();
        requireKept(kept, network.getLayers());
        network.fit(newData());
        requireExact(network, data().getFeatures());
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OutputLayers.replace(old, "middle", NEW_CLASSES))
                        .getMessage();
        assertEquals("the network has no output layer 'middle'; its outputs are [last]", message);
    }

    @Test
    void aNetworkThatEndsWithoutWeightsHasNoClassesToReplace() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(8),
                        dense("first", Activation.IDENTITY),
                        new LossLayer.Builder(LossFunction.MSE).name("loss").build());
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OutputLayers.replace(network, NEW_CLASSES))
                        .getMessage();
        assertTrue(message.contains("'loss' is no output layer with weights"), message);
        assertThrows(IllegalArgumentException.class, () -> OutputLayers.replace(chain(), 0));
    }

    /** It trains a part of the network, whose first layer then reads codes that nobody makes. */
    @Test
    void transferLearningHelperIsRefusedWithWhatToDoInstead() {
        MultiLayerNetwork old = Preparation.prepare(chain(), INT8, batch()).network();
        TransferLearningHelper helper = new TransferLearningHelper(old, 0);
        DataSet featurized = helper.featurize(data());
        String message =
                assertThrows(IllegalStateException.class, () -> helper.fitFeaturized(featurized))
                        .getMessage();
        assertTrue(message.contains("FrozenFeatures"), message);
    }

    private static String refusal(ComputationGraph network) {
        return assertThrows(
                        IllegalArgumentException.class,
                        () -> Preparation.prepare(network, INT8, batch()))
                .getMessage();
    }

    // ---- any part first, the rest afterwards ---------------------------------------------------

    private static MultiLayerNetwork random(Random random, List<String> names) {
        List<org.deeplearning4j.nn.conf.layers.Layer> layers = new ArrayList<>();
        int count = 2 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            org.deeplearning4j.nn.conf.layers.Layer layer =
                    switch (random.nextInt(5)) {
                        case 0 ->
                                new SubsamplingLayer.Builder(PoolingType.MAX)
                                        .kernelSize(2, 2)
                                        .stride(1, 1)
                                        .build();
                        case 1 ->
                                new SubsamplingLayer.Builder(PoolingType.AVG)
                                        .kernelSize(2, 2)
                                        .stride(1, 1)
                                        .build();
                        case 2 -> convolution(Activation.TANH);
                        case 3 -> convolution(Activation.IDENTITY);
                        default -> convolution(Activation.RELU);
                    };
            name(layers, names, layer, "layer" + i);
            if (layer instanceof ConvolutionLayer && random.nextBoolean()) {
                name(layers, names, new BatchNormalization(), "norm" + i);
                name(layers, names, new ActivationLayer(Activation.RELU), "relu" + i);
            }
        }
        name(
                layers,
                names,
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build(),
                "out");
        return Networks.of(
                InputType.convolutional(8, 8, 2),
                layers.toArray(new org.deeplearning4j.nn.conf.layers.Layer[0]));
    }

    private static ConvolutionLayer convolution(Activation activation) {
        return new ConvolutionLayer.Builder(2, 2).nOut(3).activation(activation).build();
    }

    private static void name(
            List<org.deeplearning4j.nn.conf.layers.Layer> layers,
            List<String> names,
            org.deeplearning4j.nn.conf.layers.Layer layer,
            String name) {
        layer.setLayerName(name);
        layers.add(layer);
        names.add(name);
    }

    private static void prepareInTwoSteps(int networks) {
        Random random = new Random(8);
        int partial = 0;
        for (int i = 0; i < networks; i++) {
            List<String> names = new ArrayList<>();
            MultiLayerNetwork network = random(random, names);
            DataSet data = Networks.data(12, 2, 8, 8);
            QuantSpec some = INT8;
            for (String name : names) {
                if (random.nextInt(3) == 0) {
                    some = some.with(LayerSelector.named(name), LayerScheme.FLOAT);
                }
            }
            MultiLayerNetwork first =
                    Preparation.prepare(network, some, new SingletonDataSetIterator(data))
                            .network();
            Map<String, INDArray> kept = quantized(first.getLayers());
            boolean complete = true;
            for (Layer layer : first.getLayers()) {
                boolean weighted = layer.conf().getLayer() instanceof ConvolutionLayer;
                complete &= !weighted && !(layer.conf().getLayer() instanceof OutputLayer);
            }
            if (complete) {
                continue;
            }
            partial++;
            PreparedNetwork<MultiLayerNetwork> second =
                    Preparation.prepare(first, INT8, new SingletonDataSetIterator(data));
            Map<String, INDArray> after = quantized(second.network().getLayers());
            String what = second.report().toString();
            kept.forEach((key, value) -> assertEquals(value, after.get(key), key + what));
            second.network().fit(data);
            assertFalse(second.network().params().isNaN().any(), what);
            assertNotEquals(first.params().length(), second.network().params().length(), what);
        }
        assertTrue(partial > networks / 4, partial + " networks of " + networks);
    }

    @Test
    void whatWasQuantizedFirstStaysAsItWas() {
        prepareInTwoSteps(12);
    }

    @Test
    @Tag("thorough")
    void whatWasQuantizedFirstStaysAsItWasInManyNetworks() {
        prepareInTwoSteps(500);
    }

    @Test
    void aNewLayerThatReadsASumInsteadOfItsCodesIsToldWhereTheyAre() {
        ComputationGraph old = Preparation.prepare(residual(), INT8, batch()).network();
        for (String read : List.of("sum", "sum/quantized")) {
            ComputationGraph changed =
                    new TransferLearning.GraphBuilder(old)
                            .fineTuneConfiguration(FINE_TUNING)
                            .addLayer("new", output("new", NEW_CLASSES), read)
                            .setOutputs("new", "last")
                            .build();
            ComputationGraph network = Preparation.prepare(changed, INT8, batch()).network();
            if (read.equals("sum/quantized")) {
                requireExact(network, data().getFeatures());
            } else {
                assertEquals(
                        "layer 'sum' cannot be lowered to integers: 'new' reads its result, which"
                                + " no quantizer rounds; let it read the layer that rounds it, such"
                                + " as 'sum/quantized', or prepare the float network with a spec"
                                + " that quantizes its activations",
                        assertThrows(
                                        IllegalArgumentException.class,
                                        () -> Quantization.lower(network))
                                .getMessage());
            }
        }
    }
}
