// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.numeric.OutputFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ONNX Runtime's operators for our models: integer kernels, and nothing left in float32. */
class OnnxOperatorCountTest {

    private static final int GRAPHS = 100;

    /**
     * Kinds whose exact forms are operations in float32, one at a time, with codes at both ends.
     */
    private static final Set<String> FLOAT_FORMS =
            Set.of("Elementwise", "AttentionWeights", "DynamicDense", "Normalize", "Recurrent");

    /** The operators that may be left: integer kernels, data movement, the graph's two ends. */
    private static final List<String> INTEGER =
            List.of(
                    "QLinearConv",
                    "QLinearAdd",
                    "QLinearConcat",
                    "QLinearAveragePool",
                    "QLinearGlobalAveragePool",
                    "QGemm",
                    "QLinearMatMul",
                    "ConvInteger",
                    "MaxPool",
                    "NhwcMaxPool",
                    "Clip",
                    // exact functions of float32 results
                    "LeakyRelu",
                    "Less",
                    "Max",
                    "Min",
                    "Sub",
                    "Where",
                    "Cast",
                    "Gather",
                    "GatherElements",
                    "Pad",
                    "Slice",
                    "Reshape",
                    "Resize",
                    "Transpose",
                    "QuantizeLinear",
                    "DequantizeLinear");

    @TempDir Path folder;

    @Test
    void noConvolutionSumOrProductIsLeftInFloat() throws OrtException, IOException {
        for (long seed = 0; seed < GRAPHS; seed++) {
            IntGraph graph = RandomGraph.without(FLOAT_FORMS, seed).graph();
            Map<String, Integer> counts = optimized(graph);
            assertEquals(
                    count(graph, Convolution.class),
                    counts.getOrDefault("QLinearConv", 0) + counts.getOrDefault("ConvInteger", 0),
                    counts.toString());
            // each ConvInteger has one Add for its int32 bias and one Mul after its Cast to
            // float32; each table of a channel one Add of int32 indices
            assertEquals(
                    counts.getOrDefault("ConvInteger", 0) + indices(graph),
                    counts.getOrDefault("Add", 0));
            assertEquals(
                    counts.getOrDefault("ConvInteger", 0) + slopes(graph),
                    counts.getOrDefault("Mul", 0));
            assertEquals(count(graph, Dense.class), counts.getOrDefault("QGemm", 0));
            assertEquals(count(graph, Add.class), counts.getOrDefault("QLinearAdd", 0));
            assertEquals(count(graph, MatMul.class), counts.getOrDefault("QLinearMatMul", 0));
            assertEquals(count(graph, Quantize.class), counts.getOrDefault("QuantizeLinear", 0));
            // the runtime copies one that is an output and is read, too
            assertEquals(
                    count(graph, Dequantize.class) > 0,
                    counts.containsKey("DequantizeLinear"),
                    counts.toString());
            counts.keySet().removeAll(List.of("Add", "Mul"));
            assertTrue(INTEGER.containsAll(counts.keySet()), "seed " + seed + ": " + counts);
        }
    }

    /**
     * ONNX Runtime 1.28.0 aborts the process on products of int8 weights without their zero point.
     */
    @Test
    void productsOfIntegersHaveUint8WeightsAndBothZeroPoints() throws IOException {
        for (long seed = 0; seed < GRAPHS; seed++) {
            byte[] bytes = OnnxWriter.toBytes(RandomGraph.of(seed).graph());
            assertFalse(RuntimeRun.aborts(bytes), "seed " + seed);
            GraphProto graph = ModelProto.parseFrom(bytes).getGraph();
            for (NodeProto node : graph.getNodeList()) {
                if (node.getOpType().equals("MatMulInteger")
                        || node.getOpType().equals("ConvInteger")) {
                    assertEquals(4, node.getInputCount(), "seed " + seed);
                    assertTrue(
                            graph.getInitializerList().stream()
                                    .filter(weights -> weights.getName().equals(node.getInput(1)))
                                    .allMatch(
                                            weights ->
                                                    weights.getDataType() == DataType.UINT8_VALUE));
                }
            }
        }
    }

    /* Every node is an output here: what is not, the runtime may drop. */
    private Map<String, Integer> optimized(IntGraph graph) throws OrtException, IOException {
        List<String> results =
                graph.nodes().stream()
                        .filter(node -> !(node instanceof Input))
                        .map(IntNode::name)
                        .toList();
        byte[] model = OnnxWriter.toBytes(IntGraph.of(graph.nodes(), results));
        Path file = folder.resolve("optimized.onnx");
        try (OrtSession.SessionOptions settings =
                OnnxRuntimeSession.settings(OnnxRuntimeOptions.DEFAULT)) {
            settings.setOptimizedModelFilePath(file.toString());
            OrtEnvironment.getEnvironment().createSession(model, settings).close();
        }
        Map<String, Integer> counts = new TreeMap<>();
        for (NodeProto node :
                ModelProto.parseFrom(Files.readAllBytes(file)).getGraph().getNodeList()) {
            counts.merge(node.getOpType(), 1, Integer::sum);
        }
        return counts;
    }

    /**
     * Tables of channels add to their codes the place of a table; the runtime drops a sum with 0.
     */
    private static int indices(IntGraph graph) {
        return (int)
                graph.nodes().stream()
                        .filter(
                                node ->
                                        node instanceof ChannelTable tables
                                                && tables.tables().size() > 1)
                        .count();
    }

    /** A slope below another threshold than 0 is a product. */
    private static int slopes(IntGraph graph) {
        return (int)
                graph.nodes().stream()
                        .filter(
                                node ->
                                        node instanceof Rectify rectify
                                                && rectify.function()
                                                        instanceof OutputFunction.Slope slope
                                                && slope.threshold() != 0
                                                && slope.slope() != 0)
                        .count();
    }

    private static int count(IntGraph graph, Class<? extends IntNode> kind) {
        return (int) graph.nodes().stream().filter(kind::isInstance).count();
    }
}
