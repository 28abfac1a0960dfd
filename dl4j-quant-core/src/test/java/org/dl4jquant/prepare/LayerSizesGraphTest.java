// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers of quantized graphs get other numbers of outputs; sums and concatenations follow. */
class LayerSizesGraphTest {

    private static final DataSet IMAGES = Networks.data(24, 2, 8, 8);
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final DataSet VECTORS = Networks.data(24, 8);

    private static ConvolutionLayer.Builder convolution(int outputs) {
        return new ConvolutionLayer.Builder(3, 3).nOut(outputs).activation(Activation.RELU);
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("last")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static NeuralNetConfiguration.Builder adam() {
        return new NeuralNetConfiguration.Builder().seed(3).updater(new Adam(0.01));
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nOut(8).activation(Activation.RELU).build();
    }

    private static ComputationGraph prepared(ComputationGraph network, DataSet data) {
        ComputationGraph made =
                Preparation.prepare(network, INT8, Networks.batches(data)).network();
        made.fit(data);
        return made;
    }

    private static ElementWiseVertex sum() {
        return new ElementWiseVertex(ElementWiseVertex.Op.Add);
    }

    /** A sum of two dense layers, concatenated with one of them. */
    private static ComputationGraph residual() {
        ComputationGraph network =
                new ComputationGraph(
                        adam().graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.feedForward(8))
                                .addLayer("first", dense(), "in")
                                .addLayer("second", dense(), "first")
                                .addVertex("sum", sum(), "first", "second")
                                .addVertex("both", new MergeVertex(), "sum", "first")
                                .addLayer("third", dense(), "both")
                                .addLayer("last", output(), "third")
                                .setOutputs("last")
                                .build());
        network.init();
        return prepared(network, VECTORS);
    }

    private static void requireTrainsAndLowers(ComputationGraph network, DataSet data) {
        Recalibration.ofUncalibrated(network, Networks.batches(data));
        double before = network.score(data);
        for (int i = 0; i < 10; i++) {
            network.fit(data);
        }
        assertTrue(network.score(data) < before, "the loss fell");
        try (Engine engine = Engine.open("reference", Quantization.lower(network))) {
            var report = SimulatorCheck.between(network, engine).over(data.getFeatures());
            assertEquals(0, report.differingCodes(), report.toString());
        }
    }

    private static void assertRefused(String words, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(words), message);
    }

    @Test
    void allTensorsOfASumChangeTogether() {
        ComputationGraph narrow = residual();

        ComputationGraph wide =
                LayerSizes.of(narrow).nOutReplace("first", 11).nOutReplace("second", 11).build();

        assertArrayEquals(new long[] {22, 8}, wide.getLayer("third").getParam("W").shape());
        assertEquals(narrow.getLayer("last").params(), wide.getLayer("last").params());
        requireTrainsAndLowers(wide, VECTORS);
    }

    @Test
    void oneTensorOfASumIsNotChangedAlone() {
        assertRefused(
                "the size of 'sum' (ElementWiseVertex) cannot follow: the numbers of channels"
                        + " of its inputs would change by [0, 3], and must change alike; it"
                        + " reads [first], too",
                LayerSizes.of(residual()).nOutReplace("second", 11)::build);
    }

    @Test
    void vertexesThatFlattenFollow() {
        ComputationGraph network =
                new ComputationGraph(
                        adam().graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.convolutional(8, 8, 2))
                                .addLayer("conv", convolution(4).build(), "in")
                                .addVertex(
                                        "flat",
                                        new PreprocessorVertex(
                                                new CnnToFeedForwardPreProcessor(6, 6, 4)),
                                        "conv")
                                .addLayer("last", output(), "flat")
                                .setOutputs("last")
                                .build());
        network.init();
        ComputationGraph wide =
                LayerSizes.of(prepared(network, IMAGES)).nOutReplace("conv", 5).build();
        assertEquals(5 * 36, wide.getLayer("last").getParam("W").size(0));
        requireTrainsAndLowers(wide, IMAGES);
    }

    @Test
    void verticesOfFixedSizesAreRefused() {
        ComputationGraph network =
                new ComputationGraph(
                        adam().graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.feedForward(8))
                                .addLayer("a", dense(), "in")
                                .addVertex("part", new SubsetVertex(0, 3), "a")
                                .addLayer("b", dense(), "part")
                                .addVertex("shaped", new ReshapeVertex(-1, 4, 2), "b")
                                .addVertex("back", new ReshapeVertex(-1, 8), "shaped")
                                .addLayer("last", output(), "back")
                                .setOutputs("last")
                                .build());
        network.init();
        assertRefused(
                "'part' (SubsetVertex) cannot follow: it takes the channels 0 to 3",
                LayerSizes.of(network).nOutReplace("a", 9)::build);
        assertRefused(
                "'shaped' (ReshapeVertex) cannot follow: it makes a fixed shape",
                LayerSizes.of(network).nOutReplace("b", 9)::build);
    }
}
