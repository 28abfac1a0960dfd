// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.serde.JsonMappers;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/**
 * What version 0.1.0 wrote is read for ever: the files lie in the test resources, and {@link #main}
 * wrote them. A change of the format adds files for the new version and keeps these.
 */
public class FileFormatTest {

    private static final String LAYER = "quantized-layer-0.1.0.json";
    private static final String MODEL = "model-0.1.0.zip";
    private static final String INPUT = "model-0.1.0-input.npy";
    private static final String RESULT = "model-0.1.0-output.npy";

    /** A layer in which every part is there, and no setting has its default. */
    private static QuantizedLayer layer() {
        TensorScheme weights =
                new TensorScheme(
                        new IntFormat(4),
                        Granularity.PER_CHANNEL,
                        Symmetry.SYMMETRIC,
                        new CalibrationMethod.Percentile(99.5),
                        Estimator.STE);
        TensorScheme activations =
                new TensorScheme(
                        new IntFormat(6),
                        Granularity.PER_TENSOR,
                        Symmetry.ASYMMETRIC,
                        new CalibrationMethod.Sigma(2.5),
                        Estimator.LSQ);
        LayerQuantizers quantizers =
                LayerQuantizers.of(weights, new ActivationScheme(activations, false))
                        .withInputFrom("stem")
                        .withPreActivation(new ActivationScheme(activations, true));
        QuantizedLayer layer =
                new QuantizedLayer(
                        new ConvolutionLayer.Builder(3, 2)
                                .name("conv")
                                .nIn(2)
                                .nOut(4)
                                .stride(2, 1)
                                .updater(new Nesterovs(0.02, 0.8))
                                .activation(Activation.IDENTITY)
                                .build(),
                        new BatchNormalization.Builder().nIn(4).nOut(4).eps(1e-4).build(),
                        new ActivationLReLU(0.2),
                        quantizers);
        layer.setInputShape(new int[] {2, 7, 5});
        layer.setScaleUpdater(new Sgd(0.003));
        layer.setLayerName("renamed");
        return layer;
    }

    private static String json(Layer layer) throws IOException {
        return JsonMappers.getMapper().writeValueAsString(layer) + "\n";
    }

    /** A residual block, whose result without a function is exact wherever it is computed. */
    private static ComputationGraph network() {
        ComputationGraphConfiguration conf =
                new NeuralNetConfiguration.Builder()
                        .seed(6)
                        .updater(new Nesterovs(0.01, 0.9))
                        .convolutionMode(ConvolutionMode.Same)
                        .graphBuilder()
                        .addInputs("in")
                        .addLayer("stem", convolution(Activation.RELU), "in")
                        .addLayer("branch", convolution(Activation.IDENTITY), "stem")
                        .addLayer("norm", new BatchNormalization(), "branch")
                        .addLayer("tanh", new ActivationLayer(Activation.TANH), "norm")
                        .addVertex(
                                "sum",
                                new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                "stem",
                                "tanh")
                        .addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), "sum")
                        .addLayer(
                                "out",
                                new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
                                        .nOut(Networks.CLASSES)
                                        .activation(Activation.IDENTITY)
                                        .build(),
                                "mean")
                        .setOutputs("out")
                        .setInputTypes(InputType.convolutional(6, 6, 2))
                        .build();
        ComputationGraph graph = new ComputationGraph(conf);
        graph.init();
        return graph;
    }

    private static ConvolutionLayer convolution(Activation function) {
        return new ConvolutionLayer.Builder(3, 3).nOut(4).activation(function).build();
    }

    private static DataSet data() {
        return Networks.data(12, 2, 6, 6);
    }

    /**
     * Writes the files anew.
     *
     * @param arguments the folder
     * @throws IOException if they cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(LAYER), json(layer()));
        ComputationGraph prepared =
                Preparation.prepare(
                                network(), QuantSpec.of(LayerScheme.INT8), Networks.batches(data()))
                        .network();
        for (int i = 0; i < 5; i++) {
            prepared.fit(data());
        }
        ModelSerializer.writeModel(prepared, folder.resolve(MODEL).toFile(), true);
        INDArray input = Networks.normal(21, 3, 2, 6, 6);
        write(input, folder.resolve(INPUT));
        write(prepared.outputSingle(input), folder.resolve(RESULT));
    }

    private static void write(INDArray array, Path file) throws IOException {
        Files.write(file, Nd4j.toNpyByteArray(array.dup('c')));
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = FileFormatTest.class.getResourceAsStream(name)) {
            return Objects.requireNonNull(in, name).readAllBytes();
        }
    }

    private static INDArray array(String name) throws IOException {
        return Nd4j.createNpyFromByteArray(resource(name));
    }

    private static ComputationGraph model(Path folder) throws IOException {
        File file = folder.resolve(MODEL).toFile();
        Files.write(file.toPath(), resource(MODEL));
        return ModelSerializer.restoreComputationGraph(file, true);
    }

    @Test
    void readsALayerOfTheFirstVersion() throws IOException {
        String written = new String(resource(LAYER), StandardCharsets.UTF_8);
        Layer read = JsonMappers.getMapper().readValue(written, Layer.class);
        assertEquals(layer(), read);
    }

    /** Parameters stand in model files in this order, so a new role comes last. */
    @Test
    void rolesOfTensorsAreOnlyAppended() {
        assertEquals(
                "[INPUT, PRE_ACTIVATION, OUTPUT, HIDDEN, HIDDEN_BACKWARD, QUERY, KEY, VALUE,"
                        + " PROBABILITY, JOINED, DEPTHWISE, NORMALIZED]",
                List.of(TensorRole.values()).toString());
    }

    @Test
    void refusesATensorOfANewerVersion() throws IOException {
        String newer =
                new String(resource(LAYER), StandardCharsets.UTF_8)
                        .replace("\"preActivation\"", "\"later\"");
        IOException refused =
                assertThrows(
                        IOException.class,
                        () -> JsonMappers.getMapper().readValue(newer, Layer.class));
        assertTrue(
                refused.getMessage()
                        .startsWith("a layer's quantizers have a tensor 'later'; known are ["),
                refused.getMessage());
    }

    @Test
    void writesALayerAsTheFirstVersionDid() throws IOException {
        var mapper = JsonMappers.getMapper();
        assertEquals(mapper.readTree(resource(LAYER)), mapper.readTree(json(layer())));
    }

    @Test
    void aModelOfTheFirstVersionComputesWhatItDid(@TempDir Path folder) throws IOException {
        ComputationGraph model = model(folder);
        INDArray result = model.outputSingle(array(INPUT));
        assertEquals(array(RESULT), result);
        assertTrue(result.norm2Number().doubleValue() > 0);
    }

    @Test
    void aModelOfTheFirstVersionTrainsOn(@TempDir Path folder) throws IOException {
        ComputationGraph model = model(folder);
        assertEquals(5, model.getIterationCount());
        double momentum = model.getUpdater().getStateViewArray().norm2Number().doubleValue();
        assertTrue(momentum > 0);
        double before = model.score(data());
        for (int i = 0; i < 10; i++) {
            model.fit(data());
        }
        assertTrue(model.score(data()) < before);
    }
}
