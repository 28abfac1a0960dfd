// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights of four bits and fewer: two in a byte of the file, and the same codes and kernels. */
class PackedWeightsTest {

    private static final int INT4 = 22;
    private static final int UINT4 = 21;

    /** As the issue of this format asks: half of the weights, and what is not weights. */
    private static final double PACKED_SHARE = 0.56;

    private static WeightTensor weights(Shape shape, int bits, Random random) {
        CodeRange range = CodeRange.narrow(bits);
        byte[] codes = new byte[shape.elements()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (random.nextInt(2 * range.max() + 1) - range.max());
        }
        float[] scales = new float[shape.size(0)];
        int[] bias = new int[shape.size(0)];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = 0.01f + random.nextFloat() / 100;
            bias[i] = random.nextInt(1000) - 500;
        }
        return WeightTensor.of(shape, range, codes, scales, bias);
    }

    /* An odd number of weights in some of them. */
    private static IntGraph graph(int bits) {
        Random random = new Random(bits);
        Output.Codes codes = Output.Codes.of(SmallGraphs.int8(0.5));
        return SmallGraphs.graph(
                Shape.of(8, 6, 6),
                SmallGraphs.int8(0.1),
                new Convolution(
                        "a",
                        "q",
                        weights(Shape.of(24, 8, 3, 3), bits, random),
                        SmallGraphs.window(3, 1, 1),
                        1,
                        codes),
                new Convolution(
                        "b",
                        "a",
                        weights(Shape.of(24, 1, 3, 3), bits, random),
                        SmallGraphs.window(3, 2, 1),
                        24,
                        codes),
                new Convolution(
                        "c",
                        "b",
                        weights(Shape.of(13, 24, 1, 1), bits, random),
                        SmallGraphs.window(1, 1, 0),
                        1,
                        codes),
                new Reshape("r", "c", Shape.of(117)),
                new Dense("d", "r", weights(Shape.of(201, 117), bits, random), codes),
                new Dense("e", "d", weights(Shape.of(1501, 201), bits, random), codes),
                new Dense("f", "e", weights(Shape.of(9, 1501), bits, random), new Output.Floats()));
    }

    private static IntGraph floatConvolution(int bits) {
        return SmallGraphs.graph(
                Shape.of(3, 4, 4),
                SmallGraphs.int8(0.1),
                new Convolution(
                        "c",
                        "q",
                        weights(Shape.of(5, 3, 3, 3), bits, new Random(7)),
                        SmallGraphs.window(3, 1, 1),
                        1,
                        new Output.Floats()));
    }

    private static ModelProto model(IntGraph graph) {
        try {
            return ModelProto.parseFrom(OnnxWriter.toBytes(graph));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void requireEqualCodes(IntGraph graph) {
        int elements = graph.inputs().get(0).shape().elements();
        double[] values = new Random(4).doubles(elements, -15, 15).toArray();
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "packed"));
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, runtime)
                    .over(SmallGraphs.example(graph, values))
                    .requireEqual();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 8})
    void packedWeightsMakeTheSameCodes(int bits) {
        requireEqualCodes(graph(bits));
        requireEqualCodes(floatConvolution(bits));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void aFileOfFewBitsIsLittleMoreThanHalfAsLarge(int bits) {
        int packed = OnnxWriter.toBytes(graph(bits)).length;
        int whole = OnnxWriter.toBytes(graph(8)).length;
        assertTrue(packed <= PACKED_SHARE * whole, packed + " of " + whole + " bytes");
    }

    @Test
    void onlyModelsWithPackedWeightsNeedANewerOpset() {
        for (int bits : List.of(5, 8)) {
            ModelProto model = model(graph(bits));
            assertEquals(13, model.getOpsetImport(0).getVersion());
            assertEquals(8, model.getIrVersion());
        }
        ModelProto packed = model(graph(4));
        assertEquals(21, packed.getOpsetImport(0).getVersion());
        assertEquals(10, packed.getIrVersion());
        assertEquals(6, count(packed, INT4));
        assertEquals(1, count(model(floatConvolution(4)), UINT4));
    }

    private static long count(ModelProto model, int type) {
        return model.getGraph().getInitializerList().stream()
                .map(TensorProto::getDataType)
                .filter(found -> found == type)
                .count();
    }

    @Test
    void onnxRuntimeFusesPackedWeightsToIntegerKernels() throws OrtException, IOException {
        Map<String, Integer> counts = new TreeMap<>();
        for (NodeProto node :
                RuntimeRun.optimized(OnnxWriter.toBytes(graph(4)), OptLevel.ALL_OPT)) {
            counts.merge(node.getOpType(), 1, Integer::sum);
        }
        assertEquals(3, counts.get("QLinearConv"), counts.toString());
        assertEquals(3, counts.get("QGemm"), counts.toString());
        assertTrue(!counts.containsKey("Conv") && !counts.containsKey("Cast"), counts.toString());
    }
}
