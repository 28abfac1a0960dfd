// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Provenance;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tables by GatherElements, and filters of one channel by copies of it: fast, and the same codes.
 */
class FastFormsTest {

    private static final QuantParams ONE = SmallGraphs.uint8(1);
    private static final QuantParams SIGNED = SmallGraphs.int8(0.5);
    private static final Shape IMAGE = Shape.of(3, 4, 5);

    private static IntGraph table() {
        return SmallGraphs.graph(
                IMAGE, SIGNED, new Table("t", "q", CodeTable.from(v -> v * v, SIGNED, ONE), ONE));
    }

    private static Convolution depthwise(int channels, int multiplier, Output output) {
        int[] codes = new Random(3).ints(4L * channels * multiplier, -127, 128).toArray();
        return new Convolution(
                "c",
                "q",
                SmallGraphs.weights(Shape.of(channels * multiplier, 1, 2, 2), codes),
                SmallGraphs.window(2, 1, 1),
                channels,
                output);
    }

    private static ModelProto model(IntGraph graph) {
        try {
            return ModelProto.parseFrom(OnnxWriter.toBytes(graph));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> operators(ModelProto model) {
        return model.getGraph().getNodeList().stream().map(NodeProto::getOpType).toList();
    }

    private static byte[] changed(ModelProto model, GraphProto graph) {
        ModelProto.Builder builder = model.toBuilder().setGraph(graph);
        for (int i = builder.getMetadataPropsCount() - 1; i >= 0; i--) {
            if (builder.getMetadataProps(i).getKey().equals(Provenance.HASH)) {
                builder.removeMetadataProps(i);
            }
        }
        return builder.build().toByteArray();
    }

    private static void requireEqualCodes(IntGraph graph) {
        double[] values = new Random(4).doubles(IMAGE.elements(), -80, 80).toArray();
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, runtime)
                    .over(SmallGraphs.example(graph, values))
                    .requireEqual();
        }
    }

    @Test
    void aTableIsGatheredElementByElement() {
        assertEquals(
                List.of("QuantizeLinear", "Cast", "Reshape", "GatherElements", "Reshape"),
                operators(model(table())));
        assertEquals(table(), OnnxReader.fromBytes(OnnxWriter.toBytes(table()), "table"));
        requireEqualCodes(table());
    }

    @Test
    void readsATableThatIsGatheredFromCodesOfAnyShape() {
        ModelProto model = model(table());
        GraphProto.Builder graph = model.getGraph().toBuilder();
        NodeProto last = graph.getNode(4);
        graph.removeNode(4).removeNode(3).removeNode(2);
        graph.addNodeBuilder()
                .setOpType("Gather")
                .setName("t")
                .addInput("t/table")
                .addInput("t/index")
                .addOutput(last.getOutput(0));
        assertEquals(table(), OnnxReader.fromBytes(changed(model, graph.build()), "gather"));
    }

    @Test
    void refusesATableThatIsReshapedToAnotherShape() {
        ModelProto model = model(table());
        GraphProto.Builder graph = model.getGraph().toBuilder();
        graph.getNodeBuilder(4).setInput(1, "t/all");
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        OnnxReader.fromBytes(
                                                changed(model, graph.build()), "reshaped"))
                        .getMessage();
        assertTrue(
                message.contains(
                        "node 't' (Reshape) reshapes codes of a table to [-1]; it must be the shape"
                                + " of the codes before, [-1, 3, 4, 5]"),
                message);
    }

    static Stream<Convolution> depthwise() {
        return Stream.of(new Output.Floats(), Output.Codes.of(SmallGraphs.int8(400)))
                .flatMap(output -> Stream.of(depthwise(3, 2, output), depthwise(3, 4, output)));
    }

    @ParameterizedTest
    @MethodSource("depthwise")
    void filtersOfOneChannelAreConvolvedWithCopiesOfIt(Convolution node) {
        IntGraph graph = SmallGraphs.graph(IMAGE, SIGNED, node);
        assertEquals("Gather", operators(model(graph)).get(1));
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "multiplier"));
        requireEqualCodes(graph);
    }

    @Test
    void oneFilterForEachChannelNeedsNoCopies() {
        IntGraph graph =
                SmallGraphs.graph(
                        IMAGE, SIGNED, depthwise(3, 1, Output.Codes.of(SmallGraphs.int8(400))));
        assertTrue(!operators(model(graph)).contains("Gather"));
    }

    /** A move that copies channels is a node of its own, also before a convolution that fits. */
    @Test
    void aMoveThatCopiesChannelsStaysAMove() {
        IndexMap map = IndexMap.select(IMAGE, 0, AxisIndices.of(0, 0, 1, 1, 2, 2));
        IntNode move = new Move("m", "q", map);
        Convolution conv = depthwise(6, 1, Output.Codes.of(SmallGraphs.int8(400)));
        IntGraph graph = SmallGraphs.graph(IMAGE, SIGNED, move, conv.reading("m"));
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "move"));
        requireEqualCodes(graph);
    }
}
