// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;

/** Spark sends configurations to its workers by Java's own serialization. */
class JavaSerializationTest {

    private static final InputType INPUT = InputType.convolutional(4, 4, 2);
    private static final QuantSpec INT4 = QuantSpec.of(LayerScheme.INT4);

    private static DataSet data() {
        return Networks.data(12, 2, 4, 4);
    }

    private static ConvolutionLayer convolution() {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(2)
                .convolutionMode(ConvolutionMode.Same)
                .build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder().nOut(Networks.CLASSES).build();
    }

    private static MultiLayerNetwork chain() {
        return Preparation.prepare(
                        Networks.of(INPUT, convolution(), new BatchNormalization(), output()),
                        INT4,
                        Networks.batches(data()))
                .network();
    }

    private static byte[] written(Object any) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(any);
        }
        return bytes.toByteArray();
    }

    private static Object read(byte[] bytes) throws IOException, ClassNotFoundException {
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
            return in.readObject();
        }
    }

    @Test
    void aConfigurationComesBackEqual() throws IOException, ClassNotFoundException {
        MultiLayerNetwork network = chain();
        QuantizedLayers.setPrecision(network.getLayer(0), Precision.INT8);
        MultiLayerConfiguration conf = network.getLayerWiseConfigurations();

        MultiLayerConfiguration back = (MultiLayerConfiguration) read(written(conf));

        assertEquals(conf.toJson(), back.toJson());
        assertEquals(conf, back);
    }

    @Test
    void aGraphsConfigurationComesBackEqual() throws IOException, ClassNotFoundException {
        ComputationGraph floats =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(INPUT)
                                .addLayer("one", convolution(), "in")
                                .addLayer("other", convolution(), "one")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "one",
                                        "other")
                                .addLayer("out", output(), "sum")
                                .setOutputs("out")
                                .build());
        floats.init();
        ComputationGraphConfiguration conf =
                Preparation.prepare(floats, INT4, Networks.batches(data()))
                        .network()
                        .getConfiguration();

        Object back = read(written(conf));

        assertEquals(conf.toJson(), ((ComputationGraphConfiguration) back).toJson());
        assertEquals(conf, back);
    }

    @Test
    void damagedBytesAreRefused() throws IOException {
        byte[] bytes = written(QuantizedLayers.configuration(chain().getLayer(0)).orElseThrow());
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int json = text.indexOf("QuantizedLayer\"");
        assertTrue(json > 0, text);
        bytes[json] = '?';

        InvalidObjectException refused =
                assertThrows(InvalidObjectException.class, () -> read(bytes));

        assertTrue(
                refused.getMessage().startsWith("a quantized layer cannot be read: "),
                refused.getMessage());
    }
}
