// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.deeplearning4j.nn.conf.CacheMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Caches, data types and frozen layers. */
class NetworkModesTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    /* Float32 rounds each sum, and a code at a boundary may then be the neighbour; 10 steps of
     * training pass such differences on. A wrong implementation differs by 0.1 and more. */
    private static final double DOUBLE_AGAINST_FLOAT = 0.02;

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                .name("last")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static ConvolutionLayer convolution(String name, Activation function) {
        return new ConvolutionLayer.Builder(3, 3).name(name).nOut(4).activation(function).build();
    }

    private static MultiLayerNetwork network(CacheMode cache, DataType type) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(4)
                                .dataType(type)
                                .updater(new Nesterovs(0.01, 0.9))
                                .cacheMode(cache)
                                .list()
                                .layer(convolution("first", Activation.IDENTITY))
                                .layer(new BatchNormalization())
                                .layer(new ActivationLayer(Activation.RELU))
                                .layer(convolution("second", Activation.TANH))
                                .layer(output())
                                .setInputType(InputType.convolutional(8, 8, 2))
                                .build());
        network.init();
        return network;
    }

    private static MultiLayerNetwork recurrent(CacheMode cache) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(4)
                                .updater(new Nesterovs(0.01, 0.9))
                                .cacheMode(cache)
                                .list()
                                .layer(new LSTM.Builder().nOut(5).build())
                                .layer(new GlobalPoolingLayer())
                                .layer(output())
                                .setInputType(InputType.recurrent(4, 5))
                                .build());
        network.init();
        return network;
    }

    private static DataSet data() {
        return Networks.data(12, 2, 8, 8);
    }

    private static MultiLayerNetwork prepared(MultiLayerNetwork network) {
        return Preparation.prepare(network, INT8, Networks.batches(data())).network();
    }

    private static MultiLayerNetwork trained(MultiLayerNetwork network, DataSet data) {
        for (int i = 0; i < 3; i++) {
            network.fit(data);
        }
        return network;
    }

    @ParameterizedTest
    @EnumSource(CacheMode.class)
    void cachesChangeNothing(CacheMode cache) {
        MultiLayerNetwork cached = trained(prepared(network(cache, DataType.FLOAT)), data());
        MultiLayerNetwork plain =
                trained(prepared(network(CacheMode.NONE, DataType.FLOAT)), data());
        assertEquals(plain.params(), cached.params());
        INDArray x = data().getFeatures();
        assertEquals(plain.output(x), cached.output(x));
        cached.setCacheMode(CacheMode.NONE);
        cached.fit(data());
        plain.fit(data());
        assertEquals(plain.params(), cached.params());
    }

    @ParameterizedTest
    @EnumSource(CacheMode.class)
    void cachesOfRecurrentLayersChangeNothing(CacheMode cache) {
        DataSet data = Networks.data(12, 4, 5);
        MultiLayerNetwork cached =
                Preparation.prepare(recurrent(cache), INT8, Networks.batches(data)).network();
        MultiLayerNetwork plain =
                Preparation.prepare(recurrent(CacheMode.NONE), INT8, Networks.batches(data))
                        .network();
        assertEquals(trained(plain, data).params(), trained(cached, data).params());
    }

    @Test
    void doublePrecisionTrainsLikeSinglePrecision() throws IOException {
        MultiLayerNetwork single = prepared(network(CacheMode.NONE, DataType.FLOAT));
        MultiLayerNetwork wide = prepared(network(CacheMode.NONE, DataType.DOUBLE));
        assertEquals(DataType.DOUBLE, wide.params().dataType());
        wide.setParams(single.params().castTo(DataType.DOUBLE));
        INDArray x = data().getFeatures();
        INDArray wideX = x.castTo(DataType.DOUBLE);
        DataSet wideData = new DataSet(wideX, data().getLabels().castTo(DataType.DOUBLE));
        double before = wide.score(wideData);
        for (int i = 0; i < 10; i++) {
            single.fit(data());
            wide.fit(wideData);
        }
        assertTrue(wide.score(wideData) < before);
        INDArray difference = single.output(x).sub(wide.output(wideX).castTo(DataType.FLOAT));
        assertEquals(0, difference.amaxNumber().doubleValue(), DOUBLE_AGAINST_FLOAT);
        MultiLayerNetwork restored = saved(wide);
        assertEquals(DataType.DOUBLE, restored.params().dataType());
        assertEquals(wide.output(wideX), restored.output(wideX));
        wide.fit(wideData);
        restored.fit(wideData);
        assertEquals(wide.params(), restored.params());
    }

    @Test
    void aPreparedNetworkIsConvertedToDoublePrecision() {
        MultiLayerNetwork single =
                trained(prepared(network(CacheMode.NONE, DataType.FLOAT)), data());
        MultiLayerNetwork wide = single.convertDataType(DataType.DOUBLE);
        assertEquals(single.params(), wide.params().castTo(DataType.FLOAT));
        INDArray x = data().getFeatures();
        INDArray difference =
                single.output(x).sub(wide.output(x.castTo(DataType.DOUBLE)).castTo(DataType.FLOAT));
        assertEquals(0, difference.amaxNumber().doubleValue(), DOUBLE_AGAINST_FLOAT);
        assertEquals(
                Quantization.lower(single),
                Quantization.lower(wide.convertDataType(DataType.FLOAT)));
        wide.fit(new DataSet(x.castTo(DataType.DOUBLE), data().getLabels()));
    }

    private static MultiLayerNetwork saved(MultiLayerNetwork network) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        ModelSerializer.writeModel(network, file, true);
        return ModelSerializer.restoreMultiLayerNetwork(
                new ByteArrayInputStream(file.toByteArray()), true);
    }

    private static Layer[] layers(Layer middle) {
        return new Layer[] {
            new DenseLayer.Builder().name("before").nOut(6).activation(Activation.TANH).build(),
            middle,
            output()
        };
    }

    private static DenseLayer middle() {
        return new DenseLayer.Builder().name("middle").nOut(6).activation(Activation.TANH).build();
    }

    @Test
    void aFrozenLayerLetsGradientsThroughAndKeepsParametersAndScales() throws IOException {
        DataSet data = Networks.data(12, 6);
        MultiLayerNetwork floating =
                Networks.of(
                        InputType.feedForward(6), layers(new FrozenLayerWithBackprop(middle())));
        MultiLayerNetwork network =
                Preparation.prepare(floating, INT8, Networks.batches(data)).network();
        MultiLayerNetwork free =
                Preparation.prepare(
                                withParameters(
                                        Networks.of(InputType.feedForward(6), layers(middle())),
                                        floating),
                                INT8,
                                Networks.batches(data))
                        .network();
        assertEquals(free.params(), network.params());
        INDArray frozen = network.getLayer(1).params().dup();
        network.fit(data);
        free.fit(data);
        assertEquals(frozen, network.getLayer(1).params());
        assertNotEquals(frozen, free.getLayer(1).params());
        // The first step's gradients are those of a network without anything frozen.
        assertEquals(free.getLayer(0).params(), network.getLayer(0).params());
        assertEquals(free.getLayer(2).params(), network.getLayer(2).params());
        INDArray x = data.getFeatures();
        MultiLayerNetwork restored = saved(network);
        assertEquals(network.output(x), restored.output(x));
        network.fit(data);
        restored.fit(data);
        assertEquals(network.params(), restored.params());
        assertEquals(frozen, restored.getLayer(1).params());
    }

    private static MultiLayerNetwork withParameters(MultiLayerNetwork to, MultiLayerNetwork from) {
        to.setParams(from.params());
        return to;
    }

    @Test
    void aFloatNetworkWithAFeatureExtractorIsPreparedWithIt() throws IOException {
        DataSet data = Networks.data(12, 6);
        MultiLayerNetwork floating =
                new TransferLearning.Builder(
                                Networks.of(InputType.feedForward(6), layers(middle())))
                        .setFeatureExtractor(1)
                        .build();
        MultiLayerNetwork network =
                Preparation.prepare(floating, INT8, Networks.batches(data)).network();
        INDArray before = network.getLayer(0).params().dup();
        INDArray middle = network.getLayer(1).params().dup();
        INDArray last = network.getLayer(2).params().dup();
        network.fit(data);
        assertEquals(before, network.getLayer(0).params());
        assertEquals(middle, network.getLayer(1).params());
        assertFalse(last.equals(network.getLayer(2).params()));
        MultiLayerNetwork restored = saved(network);
        assertEquals(network.output(data.getFeatures()), restored.output(data.getFeatures()));
        assertEquals(
                2,
                Quantization.lower(network).nodes().stream()
                        .filter(
                                node ->
                                        node.name().equals("before")
                                                || node.name().equals("middle"))
                        .count());
    }
}
