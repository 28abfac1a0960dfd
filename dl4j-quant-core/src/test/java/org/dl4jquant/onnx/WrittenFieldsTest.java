// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.LongStream;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.wire.AttributeProto;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.ModelProto;
import org.dl4jquant.onnx.wire.NodeProto;
import org.junit.jupiter.api.Test;

/** The fields that a reader of ONNX's own language, proto2, finds in written files. */
class WrittenFieldsTest {

    private static final int GRAPHS = 100;

    @Test
    void writesTheValueOfEveryAttributeAndTensorEvenIfItIsZero() {
        int attributes = 0;
        int tensors = 0;
        for (long seed = 0; seed < GRAPHS; seed++) {
            IntGraph graph = RandomGraph.of(seed).graph();
            Proto2Model model = Proto2Model.of(OnnxWriter.toBytes(graph));
            assertEquals(List.of(), model.faults(), "seed " + seed);
            attributes += model.attributes();
            tensors += model.tensors();
        }
        assertTrue(attributes > GRAPHS, attributes + " attributes");
        assertTrue(tensors > GRAPHS, tensors + " tensors");
    }

    /** The axis of a dequantized weight, in the bytes that proto2 needs: field 3, value 0. */
    @Test
    void writesAnAxisOfZeroAsTwoBytes() {
        Message axis =
                LongStream.range(0, GRAPHS)
                        .mapToObj(seed -> OnnxWriter.toBytes(RandomGraph.of(seed).graph()))
                        .map(bytes -> Message.read(ModelProto.SCHEMA, bytes))
                        .flatMap(model -> model.get(ModelProto.GRAPH).get(GraphProto.NODE).stream())
                        .filter(node -> node.get(NodeProto.OP_TYPE).equals("DequantizeLinear"))
                        .flatMap(node -> node.get(NodeProto.ATTRIBUTE).stream())
                        .filter(attribute -> attribute.get(AttributeProto.NAME).equals("axis"))
                        .findFirst()
                        .orElseThrow();
        assertEquals("0a0461786973" + "1800" + "a00102", hex(axis.toBytes()));
    }

    @Test
    void missesWhatProto3LeavesOut() throws IOException {
        IntGraph graph = RandomGraph.of(1).graph();
        byte[] asProto3 = onnx.Onnx.ModelProto.parseFrom(OnnxWriter.toBytes(graph)).toByteArray();
        List<String> faults = Proto2Model.of(asProto3).faults();
        assertTrue(
                faults.stream().anyMatch(fault -> fault.endsWith("has no field 3")),
                faults.toString());
        assertEquals(graph, OnnxReader.fromBytes(asProto3, "as older versions wrote it"));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
