// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationRReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

final class LoweringRefusalTest {

    /* The first that lowers; the list grows with each kind. */
    private static final Pattern THE_REST =
            Pattern.compile("(layers that lower are( \\w+,){1}) [^;\\n]*");

    private static final InputType IMAGES = InputType.convolutional(8, 8, 2);

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(3)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static String messageFor(INDArray features, InputType input, Layer... layers) {
        MultiLayerNetwork prepared = prepared(features, input, layers);
        String message =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared))
                        .obstacles()
                        .get(0);
        return THE_REST.matcher(message).replaceAll("$1 ...");
    }

    private static MultiLayerNetwork prepared(INDArray features, InputType input, Layer... layers) {
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder().list();
        for (Layer layer : layers) {
            list.layer(layer);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
        network.init();
        return Quantization.prepare(
                network,
                QuantSpec.of(LayerScheme.INT8),
                new SingletonDataSetIterator(
                        new DataSet(features, Nd4j.zeros(features.size(0), 3))));
    }

    @Test
    void namesEachLayerThatCannotBeLowered() {
        MultiLayerNetwork prepared =
                prepared(images(), IMAGES, encoder("first"), encoder("second"), output());
        LoweringException refused =
                assertThrows(LoweringException.class, () -> Quantization.lower(prepared));
        assertEquals(2, refused.obstacles().size());
        assertTrue(
                refused.obstacles().get(0).startsWith("layer 'first' cannot be lowered"),
                refused.getMessage());
        assertTrue(
                refused.obstacles().get(1).startsWith("layer 'second' cannot be lowered"),
                refused.getMessage());
        assertEquals(
                "the network cannot be lowered to integers, for 2 reasons:\n- "
                        + String.join("\n- ", refused.obstacles()),
                refused.getMessage());
    }

    private static Layer encoder(String name) {
        return new VariationalAutoencoder.Builder().nOut(4).name(name).build();
    }

    private static INDArray images() {
        return Nd4j.randn(4, 2, 8, 8);
    }

    @Test
    void refusesAKindWithoutAForm() {
        assertEquals(
                "layer 'encoder' cannot be lowered to integers: there is no integer form of type"
                        + " VariationalAutoencoder, which has no quantizers between its dense"
                        + " layers; after pretraining, put a DenseLayer in place of each of its"
                        + " encoder's layers (e0W, e0b, ...) and one for the mean (pZXMeanW,"
                        + " pZXMeanb)",
                messageFor(images(), IMAGES, encoder("encoder"), output()));
    }

    /** A user's own function, which only its own code knows. */
    private static final class Doubled extends ActivationReLU {
        @Override
        public INDArray getActivation(INDArray in, boolean training) {
            return super.getActivation(in, training).muli(2);
        }
    }

    @Test
    void refusesAFunctionItDoesNotKnowByTheFunctionsName() {
        String why =
                "layer 'it' cannot be lowered to integers: its activation function %s is not one"
                        + " that the integer graph has; functions that lower are DL4J's own, each of"
                        + " them by its exact class, without Softmax, RReLU and PReLU";
        for (IActivation function : new IActivation[] {new Doubled(), new ActivationRReLU()}) {
            String expected = why.formatted(function.getClass().getName());
            INDArray features = Nd4j.randn(4, 5);
            InputType input = InputType.feedForward(5);
            DenseLayer dense =
                    new DenseLayer.Builder().nOut(4).activation(function).name("it").build();
            assertEquals(expected, messageFor(features, input, dense, output()));
            DenseLayer linear =
                    new DenseLayer.Builder()
                            .nOut(4)
                            .activation(Activation.IDENTITY)
                            .name("it")
                            .build();
            ActivationLayer merged = new ActivationLayer(function);
            assertEquals(expected, messageFor(features, input, linear, merged, output()));
            ActivationLayer alone =
                    new ActivationLayer.Builder().activation(function).name("it").build();
            assertEquals(expected, messageFor(features, input, alone, output()));
        }
    }

    private static String messageFor(QuantSpec spec, GraphVertex vertex, String... more) {
        ComputationGraphConfiguration.GraphBuilder builder =
                new NeuralNetConfiguration.Builder()
                        .graphBuilder()
                        .addInputs("in")
                        .setInputTypes(InputType.feedForward(5))
                        .addLayer("a", dense(), "in")
                        .addLayer("b", dense(), "in");
        String[] inputs =
                Stream.concat(Stream.of("a", "b"), Stream.of(more)).toArray(String[]::new);
        ComputationGraph network =
                new ComputationGraph(
                        builder.addVertex("joined", vertex, inputs)
                                .addLayer("out", output(), "joined")
                                .setOutputs("out")
                                .build());
        network.init();
        ComputationGraph prepared =
                Quantization.prepare(
                        network,
                        spec,
                        new SingletonDataSetIterator(
                                new DataSet(Nd4j.randn(4, 5), Nd4j.zeros(4, 3))));
        return assertThrows(LoweringException.class, () -> Quantization.lower(prepared))
                .obstacles()
                .get(0);
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nOut(5).activation(Activation.RELU).build();
    }

    @Test
    void refusesADistance() {
        String message = messageFor(QuantSpec.of(LayerScheme.INT8), new L2Vertex(1e-8));
        assertEquals(
                "layer 'joined' cannot be lowered to integers: an L2Vertex is the root of a sum of"
                        + " squared differences of two tensors, of which there is no integer form;"
                        + " end the network with the two tensors, and compute their distance from"
                        + " its results",
                message);
    }

    @Test
    void namesTheLayerLeftInFloatThatASumReads() {
        assertEquals(
                "layer 'b' cannot be lowered to integers: this DenseLayer computes in float; the"
                        + " prepare report says why; quantize it, or leave it out of the deployed"
                        + " network",
                messageFor(
                        QuantSpec.of(LayerScheme.INT8)
                                .with(LayerSelector.named("b"), LayerScheme.FLOAT),
                        new ElementWiseVertex(ElementWiseVertex.Op.Add)));
    }
}
