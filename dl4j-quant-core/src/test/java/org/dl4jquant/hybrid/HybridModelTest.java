// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.hybrid;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.lower.TestNetworks;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks with steps in float: their integers are exact, their islands near DL4J's results. */
class HybridModelTest {

    private static final int EXAMPLES = 6;

    private static ConvolutionLayer convolution(String name, Activation function) {
        return new ConvolutionLayer.Builder(3, 3)
                .name(name)
                .nOut(4)
                .padding(1, 1)
                .activation(function)
                .build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("out")
                .nOut(TestNetworks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork network() {
        return Networks.of(
                new Sgd(0.01),
                InputType.convolutional(TestNetworks.SIDE, TestNetworks.SIDE, 2),
                convolution("a", Activation.RELU),
                convolution("b", Activation.IDENTITY),
                new BatchNormalization.Builder().name("norm").build(),
                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                        .name("max")
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build(),
                convolution("c", Activation.TANH),
                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.AVG)
                        .name("mean")
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build(),
                new DenseLayer.Builder().name("d").nOut(7).activation(Activation.ELU).build(),
                output());
    }

    private static QuantSpec spec(LayerScheme scheme, String... names) {
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
        for (String name : names) {
            spec = spec.with(LayerSelector.named(name), scheme);
        }
        return spec;
    }

    private static DataSet data() {
        return TestNetworks.images(EXAMPLES, 2, 3);
    }

    private static HybridModel checked(QuantSpec spec, String... islands) {
        DataSet data = data();
        MultiLayerNetwork prepared = Quantization.prepare(network(), spec, Networks.batches(data));
        prepared.fit(data.copy());
        HybridModel model = HybridModel.of(prepared, data.getFeatures());
        assertEquals(List.of(islands), model.islands().stream().map(FloatIsland::name).toList());
        require(model, data.getFeatures());
        INDArray expected = prepared.output(data.getFeatures());
        Batch.Floats found = model.run(data.getFeatures()).get(0);
        // An island may move a code of 8 bits, which is about a hundredth of a probability here.
        assertArrayEquals(RowMajor.floats(expected), found.values(), 0.02f);
        return model;
    }

    private static void require(HybridModel model, INDArray... features) {
        HybridComparison comparison = model.compare(features);
        assertEquals(0, comparison.differingIntegers());
        assertTrue(comparison.isRight(), comparison::toString);
        assertEquals(model.islands().size(), comparison.islands().size());
    }

    @Test
    void aLayerInTheMiddleStaysInFloat() {
        HybridModel model = checked(spec(LayerScheme.FLOAT, "c"), "max", "c");
        assertTrue(model.report().contains("'c' (ConvolutionLayer) is in float: "), model::report);
    }

    @Test
    void layersInHalfPrecisionAndTheirNormalizationAreIslands() {
        HybridModel model = checked(spec(LayerScheme.FP16, "b", "d"), "b", "max", "d");
        assertTrue(model.report().contains("'b' (ConvolutionLayer) is in half precision"));
    }

    @Test
    void theFirstAndTheLastLayerMayStayInFloat() {
        checked(spec(LayerScheme.FLOAT, "a", "out"), "a", "out");
    }

    @Test
    void featuresOfAnotherShapeAreRefused() {
        HybridModel model = checked(spec(LayerScheme.FLOAT, "c"), "max", "c");
        INDArray channelsLast = data().getFeatures().permute(0, 2, 3, 1);
        String message =
                assertThrows(IllegalArgumentException.class, () -> model.run(channelsLast))
                        .getMessage();
        assertTrue(message.contains("do not fit input 'input'"), message);
    }

    @Test
    void verticesOfFloatsAreIslands() {
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(7)
                                .updater(new Sgd(0.01))
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(
                                        InputType.convolutional(
                                                TestNetworks.SIDE, TestNetworks.SIDE, 2))
                                .addLayer("a", convolution("a", Activation.RELU), "in")
                                .addLayer("b", convolution("b", Activation.SIGMOID), "a")
                                .addLayer("c", convolution("c", Activation.IDENTITY), "a")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "b",
                                        "c")
                                .addVertex("both", new MergeVertex(), "sum", "b")
                                .addLayer(
                                        "pool",
                                        new GlobalPoolingLayer.Builder(PoolingType.AVG).build(),
                                        "both")
                                .addLayer("out", output(), "pool")
                                .setOutputs("out")
                                .build());
        graph.init();
        DataSet data = data();
        ComputationGraph prepared =
                Quantization.prepare(
                        graph,
                        spec(LayerScheme.FLOAT, "b", "c", "sum", "both", "pool"),
                        Networks.batches(data));
        HybridModel model = HybridModel.of(prepared, data.getFeatures());
        assertEquals(
                List.of("b", "both", "c", "pool", "sum"),
                model.islands().stream().map(FloatIsland::name).sorted().toList());
        require(model, data.getFeatures());
    }

    @Test
    void whatHasNoFloatOperatorsIsRefusedByNameAllAtOnce() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.recurrent(3, 5),
                        new LSTM.Builder().name("one").nOut(4).build(),
                        new LSTM.Builder().name("two").nOut(4).build(),
                        new RnnOutputLayer.Builder(LossFunction.MSE)
                                .name("out")
                                .nOut(2)
                                .activation(Activation.IDENTITY)
                                .build());
        INDArray features = Networks.normal(3, 4, 3, 5);
        MultiLayerNetwork prepared =
                Quantization.prepare(
                        network,
                        spec(LayerScheme.FLOAT, "one"),
                        Networks.batches(new DataSet(features, Nd4j.zeros(4, 2, 5))));
        String message =
                assertThrows(LoweringException.class, () -> HybridModel.of(prepared, features))
                        .getMessage();
        assertTrue(message.contains("'one'"), message);
        assertTrue(message.contains("has no float operators"), message);
    }

    @Test
    void aFileThatIsNotIntegersOnlyIsNotReadAsAnIntegerGraph(@TempDir Path folder)
            throws Exception {
        HybridModel model = checked(spec(LayerScheme.FLOAT, "c"), "max", "c");
        Path file = folder.resolve("hybrid.onnx");
        model.write(file);
        assertArrayEquals(model.toBytes(), Files.readAllBytes(file));
        assertThrows(IllegalArgumentException.class, () -> OnnxReader.read(file));
    }
}
