// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import onnx.Onnx.ModelProto;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Provenance;
import org.junit.jupiter.api.Test;

/** Whatever the bytes are, the answer is an equal graph or an IllegalArgumentException. */
class DamagedOnnxTest {

    /** One of most kinds of nodes; small, so that every byte can be damaged. */
    private static final IntGraph GRAPH =
            SmallGraphs.graph(
                    Shape.of(1, 3, 3),
                    SmallGraphs.int8(1),
                    new Convolution(
                            "c",
                            "q",
                            SmallGraphs.weights(Shape.of(1, 1, 2, 2), 1, 2, 3, 4),
                            SmallGraphs.window(2, 1, 0),
                            1,
                            Output.Codes.of(SmallGraphs.uint8(2))),
                    new Table(
                            "t",
                            "c",
                            CodeTable.from(
                                    Math::sqrt, SmallGraphs.uint8(2), SmallGraphs.uint8(0.1)),
                            SmallGraphs.uint8(0.1)),
                    new Add("a", "c", "t", Output.Codes.of(SmallGraphs.uint8(2))),
                    new MaxPool("m", "a", SmallGraphs.window(2, 1, 0)),
                    new Concat("j", List.of("m", "m"), SmallGraphs.uint8(3)),
                    new Reshape("r", "j", Shape.of(2)),
                    new Dense(
                            "d",
                            "r",
                            SmallGraphs.weights(Shape.of(1, 2), 5, 6),
                            new Output.Floats()));

    private static final byte[] MODEL = OnnxWriter.toBytes(GRAPH);

    private static byte[] withoutHash() {
        try {
            ModelProto.Builder model = ModelProto.parseFrom(MODEL).toBuilder();
            for (int i = model.getMetadataPropsCount() - 1; i >= 0; i--) {
                if (model.getMetadataProps(i).getKey().equals(Provenance.HASH)) {
                    model.removeMetadataProps(i);
                }
            }
            return model.build().toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void refusesAModelThatIsCutOffAnywhere() {
        byte[] withoutHash = withoutHash();
        for (byte[] model : List.of(MODEL, withoutHash)) {
            assertEquals(GRAPH, OnnxReader.fromBytes(model, "whole"));
            for (int length = 0; length < model.length; length++) {
                byte[] cut = Arrays.copyOf(model, length);
                try {
                    // what is cut off may be metadata or another part that means nothing
                    assertNotNull(OnnxReader.fromBytes(cut, "cut"));
                } catch (IllegalArgumentException refused) {
                    assertTrue(refused.getMessage().startsWith("ONNX model 'cut'"));
                }
            }
        }
        int refused = 0;
        for (int length = 0; length < MODEL.length - 200; length++) {
            byte[] cut = Arrays.copyOf(MODEL, length);
            assertThrows(IllegalArgumentException.class, () -> OnnxReader.fromBytes(cut, "cut"));
            refused++;
        }
        assertTrue(refused > 1000);
    }

    @Test
    void neverTakesAModelWithAFlippedBitForAnotherGraph() {
        int refused = 0;
        for (int at = 0; at < MODEL.length; at++) {
            byte[] damaged = flipped(MODEL, at);
            try {
                IntGraph read = OnnxReader.fromBytes(damaged, "flipped");
                assertEquals(GRAPH, read, "byte " + at);
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().startsWith("ONNX model 'flipped'"), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > MODEL.length * 9 / 10, refused + " of " + MODEL.length);
    }

    /** One bit of a byte is flipped, another one in each byte. */
    private static byte[] flipped(byte[] model, int at) {
        byte[] damaged = model.clone();
        damaged[at] ^= (byte) (1 << at % 8);
        return damaged;
    }

    @Test
    void answersAnyFlippedBitOfAModelWithoutAHash() {
        byte[] model = withoutHash();
        int refused = 0;
        for (int at = 0; at < model.length; at++) {
            byte[] damaged = flipped(model, at);
            try {
                assertNotNull(OnnxReader.fromBytes(damaged, "flipped"));
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().startsWith("ONNX model 'flipped'"), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > model.length / 4, refused + " of " + model.length);
    }

    @Test
    void saysThatBytesOfSomethingElseAreNoModel() {
        byte[] text = "this is no model".getBytes(StandardCharsets.UTF_8);
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OnnxReader.fromBytes(text, "text.onnx"))
                        .getMessage();
        assertTrue(
                message.startsWith(
                        "ONNX model 'text.onnx' of 16 bytes is damaged, or no ONNX model: "),
                message);
        assertTrue(message.endsWith("; write it again"), message);
    }

    @Test
    void saysThatAnEmptyFileHoldsNoGraph() {
        assertEquals(
                "ONNX model 'empty.onnx': there is no graph with operators in it; it is empty, cut"
                        + " off or no ONNX model",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OnnxReader.fromBytes(new byte[0], "empty.onnx"))
                        .getMessage());
    }
}
