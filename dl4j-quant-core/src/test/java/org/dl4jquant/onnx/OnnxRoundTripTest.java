// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import onnx.Onnx.ModelProto;
import onnx.Onnx.StringStringEntryProto;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Provenance;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxRoundTripTest {

    private static final int GRAPHS = 400;

    @TempDir Path folder;

    @Test
    void readsBackAGraphThatIsEqual() {
        for (long seed = 0; seed < GRAPHS; seed++) {
            IntGraph graph = RandomGraph.of(seed).graph();
            assertEquals(
                    graph,
                    OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "seed " + seed),
                    "graph of seed " + seed);
        }
    }

    @Test
    void writesTheSameBytesEachTime() {
        IntGraph graph = RandomGraph.of(5).graph();
        assertArrayEquals(OnnxWriter.toBytes(graph), OnnxWriter.toBytes(graph));
    }

    /** The names that the writer would make up itself, and others that need care. */
    @Test
    void keepsNamesThatCollideWithItsOwn() {
        Shape shape = Shape.of(1);
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("x", shape),
                                new Quantize("y/scale", "x", SmallGraphs.uint8(1)),
                                new Dense(
                                        "y",
                                        "y/scale",
                                        SmallGraphs.weights(Shape.of(1, 1), 3),
                                        Output.Codes.of(SmallGraphs.int8(2))),
                                new Dense(
                                        "y/float",
                                        "y",
                                        SmallGraphs.weights(Shape.of(1, 1), 3),
                                        Output.Codes.of(SmallGraphs.uint8(3))),
                                new Reshape("ü ÷ \"'", "y/float", Shape.of(1, 1)),
                                new Dequantize("y/quantize", "ü ÷ \"'")),
                        List.of("y/quantize", "y"));
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "names"));
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, runtime)
                    .over(SmallGraphs.example(graph, 17))
                    .requireEqual();
        }
    }

    @Test
    void keepsThePlaceOfAnInputBehindOtherNodes() {
        Shape shape = Shape.of(2);
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("a", shape),
                                new Quantize("qa", "a", SmallGraphs.uint8(1)),
                                new Input("b", shape),
                                new Quantize("qb", "b", SmallGraphs.uint8(1)),
                                new Input("unread", shape)),
                        List.of("qb", "qa"));
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "inputs"));
    }

    @Test
    void writesAndReadsFiles() throws IOException {
        IntGraph graph = RandomGraph.of(11).graph();
        Path file = folder.resolve("model.onnx");
        Files.writeString(file, "replaced");
        OnnxWriter.write(graph, file);
        assertEquals(graph, OnnxReader.read(file));
    }

    @Test
    void saysWhichFileCannotBeReadOrWritten() {
        Path missing = folder.resolve("missing/model.onnx");
        String read =
                assertThrows(UncheckedIOException.class, () -> OnnxReader.read(missing))
                        .getMessage();
        assertTrue(read.startsWith("the ONNX model '" + missing + "' cannot be read: "), read);
        IntGraph graph = RandomGraph.of(0).graph();
        String written =
                assertThrows(UncheckedIOException.class, () -> OnnxWriter.write(graph, missing))
                        .getMessage();
        assertTrue(
                written.startsWith("the ONNX model cannot be written to '" + missing + "': "),
                written);
    }

    @Test
    void saysWhereTheModelComesFrom() throws IOException {
        IntGraph graph =
                SmallGraphs.graph(
                        Shape.of(2), SmallGraphs.uint8(1), new Reshape("r", "q", Shape.of(2, 1)));
        ModelProto model = ModelProto.parseFrom(OnnxWriter.toBytes(graph));
        assertEquals("dl4j-quant", model.getProducerName());
        assertEquals(13, model.getOpsetImport(0).getVersion());
        Map<String, String> metadata =
                model.getMetadataPropsList().stream()
                        .collect(
                                Collectors.toMap(
                                        StringStringEntryProto::getKey,
                                        StringStringEntryProto::getValue));
        Message written = Message.read(GraphProto.SCHEMA, model.getGraph().toByteArray());
        assertEquals(Provenance.hash(written, metadata), metadata.get("dl4jquant.sha256"));
        assertEquals(
                "N",
                model.getGraph()
                        .getInput(0)
                        .getType()
                        .getTensorType()
                        .getShape()
                        .getDim(0)
                        .getDimParam());
    }
}
