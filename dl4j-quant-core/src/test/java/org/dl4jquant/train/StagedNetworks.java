// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks with convolution, batch normalization, ReLU and dropout, prepared for 4 bits. */
final class StagedNetworks {

    static final QuantSpec INT4 = QuantSpec.of(LayerScheme.INT4);

    /** How many iterations an epoch has. */
    static final int ITERATIONS = 3;

    private static final InputType INPUT = InputType.convolutional(6, 6, 2);

    private StagedNetworks() {}

    static DataSet data() {
        return Networks.data(24, 2, 6, 6);
    }

    static DataSetIterator batches() {
        return Networks.batches(data());
    }

    private static ConvolutionLayer convolution(String name, int channels) {
        return new ConvolutionLayer.Builder(3, 3)
                .name(name)
                .nOut(channels)
                .convolutionMode(ConvolutionMode.Same)
                .hasBias(false)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().name("dense").nOut(6).activation(Activation.RELU).build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("out")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /** {@return the float network} */
    static MultiLayerNetwork floats(IUpdater updater) {
        return Networks.of(
                updater,
                INPUT,
                convolution("conv", 4),
                new BatchNormalization.Builder().name("norm").build(),
                new ActivationLayer.Builder().activation(new ActivationReLU()).name("relu").build(),
                dense(),
                new DropoutLayer.Builder(0.8).name("dropout").build(),
                output());
    }

    /** {@return a chain of layers, prepared for 4 bits} */
    static MultiLayerNetwork chain(IUpdater updater) {
        return Preparation.prepare(floats(updater), INT4, batches()).network();
    }

    /** {@return a chain of layers, prepared for 4 bits} */
    static MultiLayerNetwork chain() {
        return chain(new Nesterovs(0.02, 0.9));
    }

    /** {@return a network with a residual connection, prepared for 4 bits} */
    static ComputationGraph residual() {
        ComputationGraph floats =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(5)
                                .updater(new Nesterovs(0.02, 0.9))
                                .graphBuilder()
                                .addInputs("image")
                                .setInputTypes(INPUT)
                                .addLayer("stem", convolution("stem", 4), "image")
                                .addLayer("stem-relu", relu(), "stem")
                                .addLayer("inner", convolution("inner", 4), "stem-relu")
                                .addLayer("norm", new BatchNormalization(), "inner")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "norm",
                                        "stem-relu")
                                .addLayer("sum-relu", relu(), "sum")
                                .addLayer("dense", dense(), "sum-relu")
                                .addLayer("dropout", new DropoutLayer(0.8), "dense")
                                .addLayer("out", output(), "dropout")
                                .setOutputs("out")
                                .build());
        floats.init();
        return Preparation.prepare(floats, INT4, batches()).network();
    }

    private static ActivationLayer relu() {
        return new ActivationLayer(new ActivationReLU());
    }

    /** {@return the values of a scale} */
    static float[] scale(MultiLayerNetwork network, String layer, String key) {
        return network.getLayer(layer).getParam(key).dup().toFloatVector();
    }

    /** {@return the numbers times a factor, in double} */
    static float[] times(float[] values, double factor) {
        float[] result = Arrays.copyOf(values, values.length);
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) (values[i] * factor);
        }
        return result;
    }
}
