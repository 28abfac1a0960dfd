// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.serde.JsonMappers;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.databind.JsonMappingException;

/** Each class whose name stands in model files reads the first version and refuses others. */
class LayerVersionTest {

    private static Stream<Arguments> classesInModelFiles() {
        DenseLayer dense = new DenseLayer.Builder().nIn(3).nOut(2).build();
        return Stream.of(
                Arguments.of(
                        Layer.class, new QuantizedLayer(dense, null, null, LayerQuantizers.NONE)),
                Arguments.of(Layer.class, new MaxPoolingLayer(new SubsamplingLayer())),
                Arguments.of(Layer.class, new YoloResultLayer(boxes())),
                Arguments.of(GraphVertex.class, new QuantizedAddVertex("a", "b", "c")),
                Arguments.of(
                        GraphVertex.class, new QuantizedAttentionVertex(2, "a", "b", "c", "d")),
                Arguments.of(GraphVertex.class, new MaximumVertex()),
                Arguments.of(IActivation.class, new ResultActivation(new ActivationReLU())),
                Arguments.of(IActivation.class, new ResultSoftmax()));
    }

    private static Yolo2OutputLayer boxes() {
        return new Yolo2OutputLayer.Builder()
                .boundingBoxPriors(Nd4j.createFromArray(new float[][] {{1, 2}}))
                .build();
    }

    private static String json(Class<?> type, Object value) throws IOException {
        return JsonMappers.getMapper().writerFor(type).writeValueAsString(value);
    }

    private static Object read(Class<?> type, String json) throws IOException {
        return JsonMappers.getMapper().readValue(json, type);
    }

    /** {@return the JSON with one more member, at the end} */
    private static String with(String json, String version) {
        int end = json.lastIndexOf('}');
        return json.substring(0, end) + ", \"version\" : " + version + "}";
    }

    @ParameterizedTest
    @MethodSource("classesInModelFiles")
    void writesNoVersionAndReadsTheFirst(Class<?> type, Object value) throws IOException {
        String written = json(type, value);
        assertFalse(written.contains("\"version\""), written);
        assertEquals(value, read(type, written));
        assertEquals(value, read(type, with(written, "1")));
    }

    @ParameterizedTest
    @MethodSource("classesInModelFiles")
    void refusesAnotherVersionWithTheRemedy(Class<?> type, Object value) throws IOException {
        String newer = with(json(type, value), "2");
        String message =
                assertThrows(JsonMappingException.class, () -> read(type, newer)).getMessage();
        assertTrue(
                message.contains(
                        "the JSON of "
                                + value.getClass().getSimpleName()
                                + " has version 2, and this version of dl4j-quant reads 1: use a"
                                + " newer version of dl4j-quant"),
                message);
    }

    @ParameterizedTest
    @MethodSource("classesInModelFiles")
    void readsTheVersionAsItStands(Class<?> type, Object value) throws IOException {
        String written = json(type, value);
        for (String version : new String[] {"\"1\"", "1.0", "null"}) {
            String odd = with(written, version);
            String message =
                    assertThrows(JsonMappingException.class, () -> read(type, odd)).getMessage();
            assertTrue(message.contains("but must be a whole number of 32 bits"), message);
        }
    }
}
