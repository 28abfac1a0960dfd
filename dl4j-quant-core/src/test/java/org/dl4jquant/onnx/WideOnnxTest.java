// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.WideNodes;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;

/** Nodes of codes of 16 bits: one result in Java, in ONNX Runtime and with exact integers. */
class WideOnnxTest {

    private static final CodeRange SIGNED = CodeRange.signed(CodeRange.WIDE_BITS);

    @Property(tries = 25)
    void enginesAgreeAndFilesAreReadBack(@ForAll long seed) {
        check(seed);
    }

    @Property(tries = 500)
    @Tag("thorough")
    void enginesAgreeOnManyGraphsAndFilesAreReadBack(@ForAll long seed) {
        check(seed);
    }

    private static void check(long seed) {
        IntGraph graph = WideNodes.graph(seed);
        byte[] bytes = OnnxWriter.toBytes(graph);
        IntGraph read = OnnxReader.fromBytes(bytes, "graph");
        assertEquals(graph, read);
        assertEquals(graph.sha256(), read.sha256());
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnx)
                    .over(WideNodes.inputs(graph, seed))
                    .requireEqual();
        }
    }

    private static IntGraph dense(CodeRange input, WeightTensor weights, Output output) {
        return IntGraph.of(
                List.<IntNode>of(
                        new Input("x", Shape.of(weights.weightsPerChannel())),
                        new Quantize("q", "x", new QuantParams(1, 0, input)),
                        new Dense("y", "q", weights, output)),
                List.of("y"));
    }

    private static WeightTensor weights(CodeRange range, int[] codes, long bias) {
        return WeightTensor.ofCodes(
                Shape.of(1, codes.length), range, codes, new float[] {0x1p-20f}, new long[] {bias});
    }

    /* By java.math: all codes at their ends, far beyond int32, and one rounding to float32. */
    @Test
    void theLargestSumsAreExact() {
        int length = 1000;
        int[] codes = new int[length];
        float[] x = new float[2 * length];
        BigInteger expected = BigInteger.valueOf(12_345_678_901L);
        for (int i = 0; i < length; i++) {
            codes[i] = i % 3 == 0 ? -32767 + i : 32767 - i;
            x[i] = i % 3 == 0 ? -32768 : 32767;
            x[length + i] = i % 2 == 0 ? 32767 : -32768;
            expected =
                    expected.add(
                            BigInteger.valueOf(codes[i]).multiply(BigInteger.valueOf((long) x[i])));
        }
        IntGraph graph =
                dense(
                        SIGNED,
                        weights(CodeRange.narrow(16), codes, 12_345_678_901L),
                        new Output.Floats());
        Map<String, Batch.Floats> inputs = Map.of("x", Batch.Floats.of(2, Shape.of(length), x));
        for (String name : List.of("reference", "onnxruntime")) {
            try (Engine engine = Engine.open(name, graph)) {
                float[] result = ((Batch.Floats) engine.run(inputs).get("y")).values();
                assertEquals(expected.floatValue() * 0x1p-20f, result[0], name);
            }
        }
        assertTrue(expected.bitLength() > 36, expected::toString);
    }

    /* 3 * 1000 - 5 * 200 + 7 = 2007 units; 2007 / 256 is 7.84, and 2007 / 446 is 4.5, a tie. */
    @Test
    void roundsToTheNearestEvenCode() {
        WeightTensor weights =
                WeightTensor.ofCodes(
                        Shape.of(2, 2),
                        CodeRange.narrow(16),
                        new int[] {1000, -200, 1000, -200},
                        new float[] {0x1p-8f, 1f / 446},
                        new long[] {7, 7});
        IntGraph graph = dense(SIGNED, weights, Output.Codes.of(new QuantParams(1, -3, SIGNED)));
        try (Engine engine = Engine.open("reference", graph)) {
            Batch.Codes codes =
                    (Batch.Codes)
                            engine.run(
                                            Map.of(
                                                    "x",
                                                    Batch.Floats.of(
                                                            1, Shape.of(2), new float[] {3, 5})))
                                    .get("y");
            assertArrayEquals(new int[] {5, 1}, new int[] {codes.code(0), codes.code(1)});
            assertArrayEquals(new byte[] {5, 0, 1, 0}, codes.containers());
        }
    }

    @Test
    void whatTakesBytesOnlyRefusesSixteenBitsByName() {
        IntGraph graph =
                dense(
                        SIGNED,
                        weights(CodeRange.narrow(16), new int[] {1, 2}, 0),
                        Output.Codes.of(new QuantParams(1, 0, SIGNED)));
        IntGraph.Builder builder = IntGraph.builder();
        graph.nodes().forEach(builder::add);
        Output.Codes bytes = Output.Codes.of(new QuantParams(1, 0, CodeRange.signed(8)));
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> builder.add(new Add("sum", "y", "y", bytes)))
                        .getMessage();
        assertEquals(
                "node 'sum' (Add) reads codes of 16 bits from 'y'; only convolutions, dense nodes,"
                        + " max pools and moves take them, so let 'y' have at most 8 bits",
                message);
    }

    @Test
    void sumsThatInt32CannotHoldByBytesAreRefused() {
        int length = Integer.MAX_VALUE / (255 * 255) + 1;
        IllegalArgumentException refusal =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                dense(
                                        SIGNED,
                                        weights(CodeRange.narrow(16), new int[length], 0),
                                        new Output.Floats()));
        assertEquals(
                "node 'y' multiplies codes of 16 bits by 33026 weights for each result; their bytes"
                        + " can be added in int32 up to 33025, so give it at most 8 bits",
                refusal.getMessage());
    }

    @Test
    void anEditedFileIsRefused() {
        IntGraph graph =
                dense(
                        SIGNED,
                        weights(CodeRange.narrow(16), new int[] {1, 2}, 0),
                        Output.Codes.of(new QuantParams(1, 0, SIGNED)));
        byte[] bytes = OnnxWriter.toBytes(graph);
        String text = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
        byte[] edited =
                text.replace("dense 16 -32768 32767", "dense 16 -32768 32766")
                        .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        assertThrows(IllegalArgumentException.class, () -> OnnxReader.fromBytes(edited, "edited"));
    }
}
