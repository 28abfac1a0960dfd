// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.FakeQuantLayer;
import org.dl4jquant.layer.QuantizedAddVertex;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayerBuilder;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.dl4jquant.train.ExactResume;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Networks that are written with quantizers, without a float network and without {@code prepare}.
 */
class HandWrittenNetworkTest {

    private static final InputType IMAGES = InputType.convolutional(8, 7, 2);
    private static final TensorScheme INT8 = TensorScheme.INT8_ACTIVATIONS;

    @TempDir private Path folder;

    private static ConvolutionLayer convolution(String name, Activation function) {
        return new ConvolutionLayer.Builder(3, 3).name(name).nOut(5).activation(function).build();
    }

    private static Layer averages() {
        return new SubsamplingLayer.Builder(
                        SubsamplingLayer.PoolingType.AVG, new int[] {2, 2}, new int[] {2, 2})
                .name("pool")
                .build();
    }

    private static Layer dense() {
        return new DenseLayer.Builder().name("dense").nOut(6).activation(Activation.TANH).build();
    }

    private static Layer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("output")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerConfiguration configuration(Layer... layers) {
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(3).updater(new Adam(0.01)).list();
        for (Layer layer : layers) {
            list.layer(layer);
        }
        return list.setInputType(IMAGES).build();
    }

    private static MultiLayerConfiguration handWritten(LayerScheme scheme) {
        return configuration(
                QuantizedLayer.builder(convolution("conv", Activation.IDENTITY))
                        .scheme(scheme)
                        .batchNormalization(new BatchNormalization())
                        .activation(Activation.RELU)
                        .build(),
                QuantizedLayer.builder(averages())
                        .scheme(scheme)
                        .reads("conv")
                        .nonNegativeInput()
                        .build(),
                new DropoutLayer(0.9),
                QuantizedLayer.builder(dense()).scheme(scheme).reads("pool").build(),
                QuantizedLayer.builder(output()).scheme(scheme).reads("dense").build());
    }

    private static DataSet data() {
        return Networks.data(48, 2, 8, 7);
    }

    private static MultiLayerNetwork trained(LayerScheme scheme) {
        MultiLayerNetwork network = new MultiLayerNetwork(handWritten(scheme));
        network.init();
        Recalibration.of(network, Networks.batches(data()));
        network.fit(Networks.batches(data()), 6);
        return network;
    }

    private static void requireExact(IntGraph graph, INDArray features, INDArray result) {
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnx)
                    .over(EngineInputs.of(graph, features))
                    .requireEqual();
            String output = graph.outputs().get(0);
            Batch.Floats found =
                    (Batch.Floats) reference.run(EngineInputs.of(graph, features)).get(output);
            assertArrayEquals(RowMajor.floats(result), found.values());
        }
    }

    @Test
    void areWhatPrepareMakes() {
        MultiLayerNetwork floats =
                new MultiLayerNetwork(
                        configuration(
                                convolution("conv", Activation.IDENTITY),
                                new BatchNormalization(),
                                new ActivationLayer(Activation.RELU),
                                averages(),
                                new DropoutLayer(0.9),
                                dense(),
                                output()));
        floats.init();
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        floats, QuantSpec.of(LayerScheme.INT8), Networks.batches(data()));
        MultiLayerNetwork written = new MultiLayerNetwork(handWritten(LayerScheme.INT8));
        written.init();
        Recalibration.of(written, Networks.batches(data()));
        assertEquals(quantizers(prepared), quantizers(written));
        assertEquals(prepared.numParams(), written.numParams());
        written.setParams(prepared.params().dup());
        INDArray features = data().getFeatures();
        assertEquals(prepared.output(features), written.output(features));
        assertEquals(Quantization.lower(prepared).sha256(), Quantization.lower(written).sha256());
    }

    private static List<Object> quantizers(MultiLayerNetwork network) {
        List<Object> all = new ArrayList<>();
        for (org.deeplearning4j.nn.api.Layer layer : network.getLayers()) {
            QuantizedLayers.configuration(layer)
                    .ifPresent(
                            conf -> {
                                all.add(conf.outputName());
                                all.add(conf.quantizers());
                                all.add(List.of(conf.inputShape().length, conf.weightSlots()));
                                all.add(String.valueOf(conf.activation()));
                            });
        }
        return all;
    }

    @Test
    void trainFromScratchAndLower() {
        for (LayerScheme scheme : List.of(LayerScheme.INT8, LayerScheme.INT4)) {
            MultiLayerNetwork network = trained(scheme);
            double accuracy = network.evaluate(Networks.batches(data())).accuracy();
            assertTrue(accuracy > 0.9, scheme.widths() + " reaches " + accuracy);
            INDArray features = data().getFeatures();
            requireExact(Quantization.lower(network), features, network.output(features));
        }
    }

    @Test
    void trainAndLowerWithoutCalibration() {
        MultiLayerNetwork network = new MultiLayerNetwork(handWritten(LayerScheme.INT8));
        network.init();
        network.fit(Networks.batches(data()), 6);
        INDArray features = data().getFeatures();
        requireExact(Quantization.lower(network), features, network.output(features));
    }

    @Test
    void keepTheirConfigurationInJsonAndYaml() {
        MultiLayerConfiguration conf = handWritten(LayerScheme.INT4);
        assertEquals(conf, MultiLayerConfiguration.fromJson(conf.toJson()));
        assertEquals(conf, MultiLayerConfiguration.fromYaml(conf.toYaml()));
    }

    @Test
    void areSavedAndResumeExactly() throws IOException {
        MultiLayerNetwork network = trained(LayerScheme.INT8);
        File zip = folder.resolve("network.zip").toFile();
        ExactResume.save(network, zip);
        MultiLayerNetwork plain = ModelSerializer.restoreMultiLayerNetwork(zip, true);
        assertEquals(network.params(), plain.params());
        network.fit(Networks.batches(data()), 2);
        // Sets the state of the random numbers, which dropout draws.
        MultiLayerNetwork resumed = ExactResume.restoreMultiLayerNetwork(zip);
        resumed.fit(Networks.batches(data()), 2);
        assertEquals(network.params(), resumed.params());
        assertEquals(Quantization.lower(network).sha256(), Quantization.lower(resumed).sha256());
    }

    private static ComputationGraphConfiguration residual() {
        return new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Adam(0.01))
                .graphBuilder()
                .addInputs("image")
                .setInputTypes(IMAGES)
                .addLayer("pixels", FakeQuantLayer.signed("pixels", INT8), "image")
                .addLayer("left", branch("left"), "pixels")
                .addLayer("right", branch("right"), "pixels")
                .addVertex(
                        "sum", new QuantizedAddVertex("left", "right", "rounded"), "left", "right")
                .addLayer("rounded", FakeQuantLayer.signed("rounded", INT8), "sum")
                .addLayer(
                        "output",
                        QuantizedLayer.builder(output()).reads("rounded").build(),
                        "rounded")
                .setOutputs("output")
                .build();
    }

    private static QuantizedLayer branch(String name) {
        return QuantizedLayer.builder(convolution(name, Activation.TANH)).reads("pixels").build();
    }

    @Test
    void graphsWithSumsTrainAndLower() throws IOException {
        ComputationGraphConfiguration conf = residual();
        assertEquals(conf, ComputationGraphConfiguration.fromJson(conf.toJson()));
        assertEquals(conf, ComputationGraphConfiguration.fromYaml(conf.toYaml()));
        ComputationGraph network = new ComputationGraph(conf);
        network.init();
        Recalibration.of(network, Networks.batches(data()));
        network.fit(Networks.batches(data()), 6);
        double accuracy = network.evaluate(Networks.batches(data())).accuracy();
        assertTrue(accuracy > 0.9, "reaches " + accuracy);
        INDArray features = data().getFeatures();
        requireExact(Quantization.lower(network), features, network.output(features)[0]);
        File zip = folder.resolve("graph.zip").toFile();
        ModelSerializer.writeModel(network, zip, true);
        ComputationGraph restored = ModelSerializer.restoreComputationGraph(zip, true);
        assertEquals(network.output(features)[0], restored.output(features)[0]);
    }

    @Test
    void layersWithTensorsInsideRoundThem() {
        for (Layer layer :
                List.of(
                        new LSTM.Builder().name("a").nOut(4).activation(Activation.TANH).build(),
                        new SimpleRnn.Builder()
                                .name("a")
                                .nOut(4)
                                .activation(Activation.TANH)
                                .build(),
                        new SelfAttentionLayer.Builder()
                                .name("a")
                                .nOut(4)
                                .nHeads(2)
                                .projectInput(true)
                                .build())) {
            InputType sequence = InputType.recurrent(3, 5);
            MultiLayerNetwork floats = Networks.of(sequence, layer, loss());
            MultiLayerNetwork prepared =
                    Quantization.prepare(
                            floats,
                            QuantSpec.of(LayerScheme.INT8),
                            Networks.batches(Networks.data(16, 3, 5)));
            QuantizedLayer made = QuantizedLayers.configuration(prepared.getLayer(0)).orElseThrow();
            QuantizedLayerBuilder builder = QuantizedLayer.builder(layer);
            if (made.quantizers().result() == null) {
                builder.resultInFloat();
            }
            assertEquals(made.quantizers(), builder.build().quantizers());
        }
    }

    private static Layer loss() {
        return new org.deeplearning4j.nn.conf.layers.RnnOutputLayer.Builder(LossFunction.MCXENT)
                .name("loss")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static String refusal(QuantizedLayerBuilder builder) {
        return assertThrows(IllegalArgumentException.class, builder::build).getMessage();
    }

    @Test
    void refuseWhatTakesNoQuantizers() {
        assertEquals(
                "layer 'x' is a DropoutLayer, which takes no quantizers: codes pass it; add it to"
                        + " the network as it is",
                refusal(QuantizedLayer.builder(new DropoutLayer(0.5)).name("x")));
        assertEquals(
                "layer 'x' is a LossLayer, which takes no quantizers: it computes in float; add it"
                        + " to the network as it is",
                refusal(QuantizedLayer.builder(new LossLayer.Builder().build()).name("x")));
    }

    @Test
    void refuseLayersWithoutANameOrAFunction() {
        DenseLayer dense = new DenseLayer.Builder().nOut(3).build();
        assertEquals(
                "a quantized DenseLayer has no name; give it one by name(...): layers that read its"
                        + " codes name it",
                refusal(QuantizedLayer.builder(dense)));
        assertEquals(
                "layer 'x' has no activation function yet, which decides whether its codes may be"
                        + " negative; set one on the layer, such as Activation.RELU",
                refusal(QuantizedLayer.builder(dense).name("x")));
    }

    @Test
    void refuseTwoFunctions() {
        assertEquals(
                "layer 'conv' has the activation function tanh; give it to activation(...), which"
                        + " comes after the batch normalization, and the layer Activation.IDENTITY",
                refusal(
                        QuantizedLayer.builder(convolution("conv", Activation.TANH))
                                .batchNormalization(new BatchNormalization())));
        assertEquals(
                "layer 'pool' is a SubsamplingLayer, which takes in no batch normalization; make"
                        + " that a layer of its own",
                refusal(
                        QuantizedLayer.builder(averages())
                                .batchNormalization(new BatchNormalization())));
    }

    @Test
    void anUnknownSourceIsNamed() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        configuration(QuantizedLayer.builder(output()).reads("nobody").build()));
        network.init();
        String message =
                assertThrows(
                                IllegalStateException.class,
                                () -> network.fit(Networks.batches(data())))
                        .getMessage();
        assertTrue(message.contains("reads codes that layer 'nobody' makes"), message);
    }
}
