// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.SampleNetworks;
import org.dl4jquant.SampleNetworks.Kind;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** Every kind of layer with weights trains, is saved and resumed with quantizers around it. */
class EveryLayerTest {

    private static final int FITS = 4;

    static List<Kind> kinds() {
        return SampleNetworks.all().stream().filter(Kind::isWeightedLayer).toList();
    }

    private static MultiLayerNetwork network(Kind kind) {
        return Networks.of(new Adam(0.01), kind.input(), kind.copies().toArray(new Layer[0]));
    }

    /** The same network with wrappers that round nothing. */
    private static MultiLayerNetwork wrappedWithoutQuantizers(Kind kind) {
        Layer[] layers =
                kind.copies().stream()
                        .map(
                                layer ->
                                        layer instanceof GlobalPoolingLayer
                                                ? layer
                                                : new QuantizedLayer(
                                                        layer, null, null, LayerQuantizers.NONE))
                        .toArray(Layer[]::new);
        return Networks.of(new Adam(0.01), kind.input(), layers);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aWrapperThatRoundsNothingTrainsAsThePlainLayer(Kind kind) {
        MultiLayerNetwork plain = network(kind);
        MultiLayerNetwork wrapped = wrappedWithoutQuantizers(kind);
        wrapped.setParams(plain.params());
        for (int i = 0; i < 2; i++) {
            Nd4j.getRandom().setSeed(i);
            plain.fit(kind.data());
            Nd4j.getRandom().setSeed(i);
            wrapped.fit(kind.data());
        }
        assertEquals(
                0, plain.params().sub(wrapped.params()).amaxNumber().doubleValue(), kind.name());
        INDArray x = kind.data().getFeatures();
        assertEquals(0, plain.output(x).sub(wrapped.output(x)).amaxNumber().doubleValue());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everyLayerTrainsQuantizedAndResumesBitForBit(Kind kind) throws IOException {
        DataSet data = kind.data();
        PreparedNetwork<MultiLayerNetwork> prepared =
                Preparation.prepare(network(kind), QuantSpec.of(LayerScheme.INT8), batches(data));
        assertTrue(
                prepared.report().layer(SampleNetworks.NAME).quantized(),
                prepared.report()::toString);
        MultiLayerNetwork network = prepared.network();
        double before = network.score(data);
        INDArray untrained = network.params().dup();
        for (int i = 0; i < FITS; i++) {
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
                                network(kind), QuantSpec.of(LayerScheme.INT4), batches(kind.data()))
                        .network()
                        .getLayerWiseConfigurations();
        assertEquals(conf, MultiLayerConfiguration.fromJson(conf.toJson()));
        assertEquals(conf, MultiLayerConfiguration.fromYaml(conf.toYaml()));
        assertEquals(conf, conf.clone());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void halfPrecisionTrains(Kind kind) {
        DataSet data = kind.data();
        MultiLayerNetwork network =
                Preparation.prepare(network(kind), QuantSpec.of(LayerScheme.FP16), batches(data))
                        .network();
        double before = network.score(data);
        for (int i = 0; i < FITS; i++) {
            network.fit(data);
        }
        assertTrue(network.score(data) < before);
    }
}
