// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Every kind of layer with weights trains, is saved and resumed with quantizers around it. */
@SuppressWarnings("deprecation") // GravesLSTM
class EveryLayerTest {

    private static final int EXAMPLES = 12;
    private static final InputType IMAGE = InputType.convolutional(6, 6, 2);
    private static final InputType SEQUENCE = InputType.recurrent(4, 5);
    private static final InputType VECTOR = InputType.feedForward(6);

    /** A network with one layer of interest. */
    private record Kind(
            String name, InputType input, Supplier<List<Layer>> layers, Supplier<DataSet> data) {
        @Override
        public String toString() {
            return name;
        }

        MultiLayerNetwork network() {
            return Networks.of(new Adam(0.01), input, layers.get().toArray(new Layer[0]));
        }

        /** The same network with wrappers that round nothing. */
        MultiLayerNetwork wrappedWithoutQuantizers() {
            NeuralNetConfiguration.ListBuilder list =
                    new NeuralNetConfiguration.Builder().seed(7).updater(new Adam(0.01)).list();
            for (Layer layer : layers.get()) {
                list.layer(
                        layer instanceof GlobalPoolingLayer
                                ? layer
                                : new QuantizedLayer(layer, null, null, LayerQuantizers.NONE));
            }
            MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
            network.init();
            return network;
        }
    }

    static List<Kind> kinds() {
        List<Kind> kinds = new ArrayList<>();
        image(kinds, "convolution", () -> new ConvolutionLayer.Builder(3, 3).nOut(4));
        image(
                kinds,
                "depthwise",
                () -> new DepthwiseConvolution2D.Builder(3, 3).depthMultiplier(2));
        image(kinds, "separable", () -> new SeparableConvolution2D.Builder(3, 3).nOut(4));
        image(kinds, "deconvolution", () -> new Deconvolution2D.Builder(3, 3).nOut(3));
        kinds.add(
                new Kind(
                        "locally connected",
                        IMAGE,
                        () ->
                                List.of(
                                        new LocallyConnected2D.Builder()
                                                .kernelSize(3, 3)
                                                .nOut(3)
                                                .activation(Activation.TANH)
                                                .build(),
                                        output()),
                        () -> Networks.data(EXAMPLES, 2, 6, 6)));
        kinds.add(
                new Kind(
                        "prelu",
                        IMAGE,
                        () ->
                                List.of(
                                        new ConvolutionLayer.Builder(1, 1)
                                                .nOut(2)
                                                .activation(Activation.IDENTITY)
                                                .build(),
                                        new PReLULayer.Builder().inputShape(2, 6, 6).build(),
                                        output()),
                        () -> Networks.data(EXAMPLES, 2, 6, 6)));
        kinds.add(
                new Kind(
                        "convolution 3d",
                        InputType.convolutional3D(4, 4, 4, 2),
                        () ->
                                List.of(
                                        new Convolution3D.Builder(2, 2, 2)
                                                .nOut(3)
                                                .activation(Activation.TANH)
                                                .build(),
                                        output()),
                        () -> Networks.data(EXAMPLES, 2, 4, 4, 4)));
        vector(kinds, "dense", () -> new DenseLayer.Builder().nOut(5));
        vector(
                kinds,
                "dense with layer norm",
                () -> new DenseLayer.Builder().nOut(5).hasLayerNorm(true));
        vector(kinds, "autoencoder", () -> new AutoEncoder.Builder().nOut(5));
        vector(
                kinds,
                "variational autoencoder",
                () ->
                        new VariationalAutoencoder.Builder()
                                .encoderLayerSizes(6)
                                .decoderLayerSizes(6)
                                .nOut(4));
        vector(
                kinds,
                "element-wise multiplication",
                () -> new ElementWiseMultiplicationLayer.Builder().nIn(6).nOut(6));
        sequence(kinds, "convolution 1d", () -> new Convolution1DLayer.Builder(3).nOut(4).build());
        sequence(kinds, "lstm", () -> new LSTM.Builder().nOut(4).build());
        sequence(kinds, "graves lstm", () -> new GravesLSTM.Builder().nOut(4).build());
        sequence(kinds, "simple rnn", () -> new SimpleRnn.Builder().nOut(4).build());
        sequence(
                kinds,
                "bidirectional lstm",
                () -> new Bidirectional(new LSTM.Builder().nOut(4).build()));
        sequence(
                kinds,
                "time distributed",
                () -> new TimeDistributed(new DenseLayer.Builder().nOut(4).build()));
        sequence(
                kinds,
                "self attention",
                () ->
                        new SelfAttentionLayer.Builder()
                                .nOut(4)
                                .nHeads(2)
                                .projectInput(true)
                                .build());
        kinds.add(
                new Kind(
                        "last time step",
                        SEQUENCE,
                        () ->
                                List.of(
                                        new LastTimeStep(new LSTM.Builder().nOut(4).build()),
                                        output()),
                        () -> Networks.data(EXAMPLES, 4, 5)));
        kinds.add(
                new Kind(
                        "embedding",
                        InputType.feedForward(4),
                        () ->
                                List.of(
                                        new EmbeddingLayer.Builder().nIn(4).nOut(5).build(),
                                        output()),
                        () -> new DataSet(indices(EXAMPLES, 1), Networks.labels(EXAMPLES))));
        kinds.add(
                new Kind(
                        "embedding sequence",
                        InputType.feedForward(4),
                        () ->
                                List.of(
                                        new EmbeddingSequenceLayer.Builder()
                                                .nIn(4)
                                                .nOut(5)
                                                .inputLength(3)
                                                .build(),
                                        new GlobalPoolingLayer(),
                                        output()),
                        () -> new DataSet(indices(EXAMPLES, 3), Networks.labels(EXAMPLES))));
        kinds.add(
                new Kind(
                        "recurrent output",
                        SEQUENCE,
                        () ->
                                List.of(
                                        new LSTM.Builder().nOut(4).build(),
                                        new RnnOutputLayer.Builder(
                                                        LossFunctions.LossFunction.MCXENT)
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.SOFTMAX)
                                                .build()),
                        () ->
                                new DataSet(
                                        Networks.data(EXAMPLES, 4, 5).getFeatures(),
                                        sequenceLabels())));
        return kinds;
    }

    private static INDArray sequenceLabels() {
        INDArray labels = Nd4j.zeros(EXAMPLES, Networks.CLASSES, 5);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int t = 0; t < 5; t++) {
                labels.putScalar(new int[] {i, i % Networks.CLASSES, t}, 1);
            }
        }
        return labels;
    }

    private static INDArray indices(int examples, int length) {
        INDArray indices = Nd4j.create(examples, length);
        for (int i = 0; i < examples * length; i++) {
            indices.putScalar(i, i % 4);
        }
        return indices;
    }

    private static void image(
            List<Kind> kinds,
            String name,
            Supplier<? extends ConvolutionLayer.BaseConvBuilder<?>> of) {
        kinds.add(
                new Kind(
                        name,
                        IMAGE,
                        () -> List.of(of.get().activation(Activation.TANH).build(), output()),
                        () -> Networks.data(EXAMPLES, 2, 6, 6)));
    }

    private static void vector(
            List<Kind> kinds,
            String name,
            Supplier<? extends org.deeplearning4j.nn.conf.layers.BaseLayer.Builder<?>> of) {
        kinds.add(
                new Kind(
                        name,
                        VECTOR,
                        () -> List.of(of.get().activation(Activation.TANH).build(), output()),
                        () -> Networks.data(EXAMPLES, 6)));
    }

    private static void sequence(List<Kind> kinds, String name, Supplier<Layer> of) {
        kinds.add(
                new Kind(
                        name,
                        SEQUENCE,
                        () -> List.of(of.get(), new GlobalPoolingLayer(), output()),
                        () -> Networks.data(EXAMPLES, 4, 5)));
    }

    private static Layer output() {
        return new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aWrapperThatRoundsNothingTrainsAsThePlainLayer(Kind kind) {
        MultiLayerNetwork plain = kind.network();
        MultiLayerNetwork wrapped = kind.wrappedWithoutQuantizers();
        wrapped.setParams(plain.params());
        for (int i = 0; i < 5; i++) {
            Nd4j.getRandom().setSeed(i);
            plain.fit(kind.data().get());
            Nd4j.getRandom().setSeed(i);
            wrapped.fit(kind.data().get());
        }
        assertEquals(
                0, plain.params().sub(wrapped.params()).amaxNumber().doubleValue(), kind.name());
        INDArray x = kind.data().get().getFeatures();
        assertEquals(0, plain.output(x).sub(wrapped.output(x)).amaxNumber().doubleValue());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everyLayerTrainsQuantizedAndResumesBitForBit(Kind kind) throws IOException {
        DataSet data = kind.data().get();
        PreparedNetwork<MultiLayerNetwork> prepared =
                Preparation.prepare(kind.network(), QuantSpec.of(LayerScheme.INT8), batches(data));
        assertTrue(prepared.report().layers().get(0).quantized(), prepared.report()::toString);
        MultiLayerNetwork network = prepared.network();
        double before = network.score(data);
        INDArray untrained = network.params().dup();
        for (int i = 0; i < 10; i++) {
            network.fit(data);
        }
        assertTrue(network.score(data) < before, "the loss fell");
        assertNotEquals(untrained, network.params());
        MultiLayerNetwork resumed = saved(network);
        assertEquals(network.getLayerWiseConfigurations(), resumed.getLayerWiseConfigurations());
        INDArray x = data.getFeatures();
        assertEquals(network.output(x), resumed.output(x));
        assertEquals(network.output(x), network.clone().output(x));
        Nd4j.getRandom().setSeed(1);
        network.fit(data);
        Nd4j.getRandom().setSeed(1);
        resumed.fit(data);
        assertEquals(network.params(), resumed.params());
        assertEquals(
                network.getUpdater().getStateViewArray(), resumed.getUpdater().getStateViewArray());
    }

    /** DL4J cannot put volumes into batches, so there is one batch. */
    private static DataSetIterator batches(DataSet data) {
        return new SingletonDataSetIterator(data);
    }

    private static MultiLayerNetwork saved(MultiLayerNetwork network) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        ModelSerializer.writeModel(network, file, true);
        return ModelSerializer.restoreMultiLayerNetwork(
                new ByteArrayInputStream(file.toByteArray()), true);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void theConfigurationSurvivesJsonAndYaml(Kind kind) {
        MultiLayerConfiguration conf =
                Preparation.prepare(
                                kind.network(),
                                QuantSpec.of(LayerScheme.INT4),
                                batches(kind.data().get()))
                        .network()
                        .getLayerWiseConfigurations();
        assertEquals(conf, MultiLayerConfiguration.fromJson(conf.toJson()));
        assertEquals(conf, MultiLayerConfiguration.fromYaml(conf.toYaml()));
        assertEquals(conf, conf.clone());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void halfPrecisionTrains(Kind kind) {
        DataSet data = kind.data().get();
        MultiLayerNetwork network =
                Preparation.prepare(kind.network(), QuantSpec.of(LayerScheme.FP16), batches(data))
                        .network();
        double before = network.score(data);
        for (int i = 0; i < 10; i++) {
            network.fit(data);
        }
        assertTrue(network.score(data) < before);
    }
}
