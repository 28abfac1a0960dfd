// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto.DataType;
import onnx.Onnx.TensorShapeProto;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.UnknownFieldSet;

/** Files whose sizes are lies: each is refused at once, and nothing is allocated for it. */
class HostileOnnxTest {

    private static final Duration AT_ONCE = Duration.ofSeconds(10);
    private static final int MOST = Integer.MAX_VALUE;

    private static void assertRefused(String message, QdqModel model) {
        assertRefused(message, model.bytes());
    }

    private static void assertRefused(String message, byte[] bytes) {
        String found =
                assertTimeoutPreemptively(
                        AT_ONCE,
                        () ->
                                assertThrows(
                                                IllegalArgumentException.class,
                                                () -> OnnxReader.fromBytes(bytes, "hostile"))
                                        .getMessage());
        assertTrue(found.contains(message), found);
    }

    private static QdqModel image(int... sizes) {
        return new QdqModel().input("x", sizes).params("q", 1, false, 0).quantized("q", "x");
    }

    private static QdqModel result(QdqModel model, String values) {
        return model.params("y", 1, false, 0)
                .quantize("y", values)
                .output("y", DataType.UINT8, 1, 1, 1);
    }

    private static QdqModel pool(QdqModel model, String operator, AttributeProto... attributes) {
        return result(model.node(operator, "p", List.of(attributes), "q.f"), "p");
    }

    private static AttributeProto both(String name, long size) {
        return GraphProtoBuilder.attribute(name, size, size);
    }

    private static AttributeProto pads(long size) {
        return GraphProtoBuilder.attribute("pads", size, size, size, size);
    }

    @Test
    void takesNoWholeNumberForASlope() {
        AttributeProto alpha =
                AttributeProto.newBuilder()
                        .setName("alpha")
                        .setType(AttributeProto.AttributeType.INT)
                        .setI(1)
                        .build();
        assertRefused(
                "has the attribute 'alpha' of type INT; it must be FLOAT",
                image(2).node("LeakyRelu", "r", List.of(alpha), "q.f")
                        .output("r", DataType.FLOAT, 2));
    }

    @Test
    void refusesAnInputOfTheGreatestSizes() throws IOException {
        for (int[] sizes :
                new int[][] {
                    {1, MOST, 1},
                    {MOST},
                    {1, 1, MOST},
                    {1, 1 << 14, (1 << 14) + 1}
                }) {
            assertRefused(
                    "node 'x': its result has ",
                    pool(image(sizes), "MaxPool", both("kernel_shape", 1)));
        }
        for (int[] sizes : new int[][] {{MOST, MOST, MOST}, {1 << 16, 1 << 16}, {2, 1 << 30}}) {
            byte[] bytes =
                    changed(
                            model -> {
                                TensorShapeProto.Builder shape =
                                        model.getGraphBuilder()
                                                .getInputBuilder(0)
                                                .getTypeBuilder()
                                                .getTensorTypeBuilder()
                                                .getShapeBuilder()
                                                .clearDim();
                                shape.addDimBuilder().setDimParam("N");
                                for (int size : sizes) {
                                    shape.addDimBuilder().setDimValue(size);
                                }
                            });
            assertRefused("input 'x': shape ", bytes);
        }
    }

    @Test
    void readsAMaxPoolOfAnImageOfTheGreatestSizeAtOnce() {
        byte[] bytes =
                pool(
                                image(1, 1, 1 << 28),
                                "MaxPool",
                                GraphProtoBuilder.attribute("kernel_shape", 1, 3),
                                GraphProtoBuilder.attribute("pads", 0, 1, 0, 1),
                                GraphProtoBuilder.attribute("dilations", 1, 1))
                        .bytes();
        assertTimeoutPreemptively(
                AT_ONCE,
                () ->
                        assertEquals(
                                Shape.of(1, 1, 1 << 28),
                                OnnxReader.fromBytes(bytes, "wide").type("y").shape()));
    }

    @Test
    void refusesWindowsOfTheGreatestSizes() {
        for (String operator : List.of("MaxPool", "AveragePool")) {
            assertRefused(
                    "has a size above 1048576",
                    pool(image(1, 2, 2), operator, both("kernel_shape", MOST), pads(MOST - 1)));
            assertRefused(
                    "has a size above 1048576",
                    pool(image(1, 2, 2), operator, both("kernel_shape", 1), both("strides", MOST)));
            assertRefused(
                    "must not be negative",
                    pool(image(1, 2, 2), operator, both("kernel_shape", 1), pads(-1)));
            assertRefused(
                    "must be at least 1 x 1",
                    pool(image(1, 2, 2), operator, both("kernel_shape", 1), both("strides", 0)));
            assertRefused(
                    "outside 32 bits",
                    pool(image(1, 2, 2), operator, both("kernel_shape", 1L << 40)));
        }
        assertRefused(
                "does not fit an image",
                pool(
                        image(1, 2, 2),
                        "MaxPool",
                        both("kernel_shape", 1 << 20),
                        both("dilations", 1 << 20),
                        pads((1 << 20) - 1)));
        assertRefused(
                "has a window of 1099511627776 elements",
                pool(
                        image(1, 2, 2),
                        "AveragePool",
                        both("kernel_shape", 1 << 20),
                        pads((1 << 20) - 1)));
        assertRefused(
                "shape [1x1048577x1048577] has more than 2147483647 elements",
                pool(
                        image(1, 2, 2),
                        "MaxPool",
                        both("kernel_shape", 1 << 20),
                        pads((1 << 20) - 1)));
    }

    private static QdqModel convolution(AttributeProto... attributes) {
        QdqModel model = image(1, 2, 2).scalar("w.scale", 1);
        model.weights("w", 0, List.of(1), 1, 1, 1, 1);
        return result(model.node("Conv", "c", List.of(attributes), "q.f", "w.f"), "c");
    }

    @Test
    void refusesAConvolutionOfTheGreatestSizes() {
        assertRefused(
                "its image with its padding, in one channel, has", convolution(pads(1 << 20)));
        assertRefused("has a size above 1048576", convolution(pads(MOST)));
        assertRefused(
                "its image with its padding, in one channel, has",
                convolution(pads(1 << 20), both("strides", 1 << 20)));
        assertRefused("groups", convolution(GraphProtoBuilder.attribute("group", MOST)));
        assertRefused("groups", convolution(GraphProtoBuilder.attribute("group", 0)));
        assertRefused("groups", convolution(GraphProtoBuilder.attribute("group", -1)));
        assertRefused("do not fit kernel", convolution(both("kernel_shape", 1 << 20)));
    }

    @Test
    void refusesAMeanWhoseSumNoIntHolds() {
        assertRefused(
                "a mean over 8392609 elements; 1 to 2^23 - 1 are allowed",
                result(image(1, 2897, 2897).node("GlobalAveragePool", "p", "q.f"), "p"));
    }

    @Test
    void refusesReshapesAndConcatenationsThatOverflow() {
        assertRefused(
                "reshapes [2x2x1] to a shape with the size 4294967296",
                result(
                        image(2, 2, 1)
                                .longs("s", 0, 1L << 32, 1L << 32)
                                .node("Reshape", "r", "q.f", "s"),
                        "r"));
        assertRefused(
                "whose elements cannot be shared",
                result(
                        image(2, 2, 1)
                                .longs("s", 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, -1)
                                .node("Reshape", "r", "q.f", "s"),
                        "r"));
        String[] all = new String[100];
        Arrays.fill(all, "q.f");
        assertRefused(
                "node 'y': its result has 6710886400 elements",
                result(
                        image(1 << 26, 1, 1)
                                .node(
                                        "Concat",
                                        "j",
                                        List.of(GraphProtoBuilder.attribute("axis", 1)),
                                        all),
                        "j"));
    }

    private static byte[] changed(Consumer<ModelProto.Builder> change) throws IOException {
        ModelProto.Builder model = ModelProto.parseFrom(convolution().bytes()).toBuilder();
        change.accept(model);
        return model.build().toByteArray();
    }

    @Test
    void refusesInitializersThatHoldLessThanTheyClaim() throws Exception {
        for (List<Long> dimensions :
                List.of(
                        List.of((long) MOST, 1L, 1L, 1L),
                        List.of(1L << 32, 1L << 32, 1L, 1L),
                        List.of(-1L, -1L, 1L, 1L),
                        List.of(Long.MIN_VALUE, 1L, 1L, 1L),
                        List.of(0L, (long) MOST, (long) MOST, (long) MOST))) {
            byte[] bytes =
                    changed(
                            model ->
                                    model.getGraphBuilder().getInitializerBuilderList().stream()
                                            .filter(tensor -> tensor.getName().equals("w"))
                                            .forEach(t -> t.clearDims().addAllDims(dimensions)));
            assertRefused("w", bytes);
        }
    }

    @Test
    void refusesOperatorsThatReadEachOtherInACircle() throws Exception {
        NodeProto.Builder clip = NodeProto.newBuilder().setOpType("Clip").setName("k");
        clip.addInput("c").addInput("r").addOutput("k");
        NodeProto.Builder relu = NodeProto.newBuilder().setOpType("Relu").setName("r");
        relu.addInput("k").addOutput("r");
        NodeProto.Builder self = NodeProto.newBuilder().setOpType("Relu").setName("self");
        self.addInput("c").addOutput("c");
        for (List<NodeProto> circle :
                List.of(
                        List.of(clip.build(), relu.build()),
                        List.of(relu.build(), clip.build()),
                        List.of(self.build()))) {
            byte[] bytes =
                    changed(
                            model -> {
                                NodeProto last =
                                        model.getGraph()
                                                .getNode(model.getGraph().getNodeCount() - 1);
                                model.getGraphBuilder()
                                        .removeNode(model.getGraph().getNodeCount() - 1)
                                        .addAllNode(circle)
                                        .addNode(last);
                            });
            assertTrue(
                    assertTimeoutPreemptively(
                                    AT_ONCE,
                                    () ->
                                            assertThrows(
                                                            IllegalArgumentException.class,
                                                            () ->
                                                                    OnnxReader.fromBytes(
                                                                            bytes, "circle"))
                                                    .getMessage())
                            .matches(
                                    "(?s).*(no input, constant or earlier|names must be unique).*"));
        }
    }

    @Test
    void readsALongChainOfClampsAtOnce() {
        QdqModel model = image(1, 2, 2).scalar("w.scale", 1);
        model.weights("w", 0, List.of(1), 1, 1, 1, 1).node("Conv", "c0", "q.f", "w.f");
        int length = 20_000;
        for (int i = 0; i < length; i++) {
            model.node("Relu", "c" + (i + 1), "c" + i);
        }
        byte[] bytes = result(model, "c" + length).bytes();
        assertTimeoutPreemptively(
                AT_ONCE,
                () -> assertEquals(3, OnnxReader.fromBytes(bytes, "chain").nodes().size()));
    }

    @Test
    void refusesMessagesThatAreNestedWithoutEnd() {
        byte[] nested = new byte[0];
        for (int depth = 0; depth < 9_999; depth++) { // graph, attribute, node, graph ...
            nested = field(new int[] {6, 5, 1}[depth % 3], nested);
        }
        byte[] model = field(7, nested);
        assertRefused("hostile", model);
    }

    private static byte[] field(int number, byte[] content) {
        return UnknownFieldSet.newBuilder()
                .addField(
                        number,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(ByteString.copyFrom(content))
                                .build())
                .build()
                .toByteArray();
    }

    @Test
    void refusesAModelThatNamesNoOrTwoVersionsOfItsOperators() throws Exception {
        assertRefused(
                "it names 0 versions of ONNX's operators",
                changed(ModelProto.Builder::clearOpsetImport));
        assertRefused(
                "it names 2 versions of ONNX's operators",
                changed(model -> model.addOpsetImportBuilder().setVersion(14)));
    }

    @Test
    void refusesAttributesThatAreUnknownOrThereTwice() throws Exception {
        byte[] twice =
                convolution(
                                GraphProtoBuilder.attribute("group", 1),
                                GraphProtoBuilder.attribute("group", 1))
                        .bytes();
        assertRefused("has an attribute twice", twice);
        QdqModel model = image(1, 2, 2);
        assertRefused(
                "has the attribute 'broadcast'",
                result(
                        model.node(
                                "Add",
                                "s",
                                List.of(GraphProtoBuilder.attribute("broadcast", 1)),
                                "q.f",
                                "q.f"),
                        "s"));
    }

    @Test
    void saysHowManyElementsAnEngineMayHaveToAllocate() {
        IllegalArgumentException refused =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                SmallGraphs.graph(
                                        Shape.of(1 << 14, 1 << 14, 1),
                                        SmallGraphs.uint8(1),
                                        new Concat("j", List.of("q", "q"), SmallGraphs.uint8(1))));
        assertEquals(
                "node 'j': its result has 536870912 elements for one example; at most 268435456 are"
                        + " allowed",
                refused.getMessage());
        assertEquals(1 << 28, IntGraph.MAX_ELEMENTS);
    }
}
