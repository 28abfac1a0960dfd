// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.OutputFunction;

/**
 * Writes an integer graph as an ONNX model in QDQ form.
 *
 * <p>Opset 13, IR version 8, a free batch dimension {@code N}. Names of nodes are kept; the result
 * of a node is the tensor of its name. All codes are uint8: signed ones stand 128 higher, with
 * their zero point, and the metadata says so. {@link OnnxReader} gives back an equal graph.
 *
 * <p>The model returns scores: last functions ({@link IntGraph#functions}), which each runtime
 * would compute in its own way, stand in the metadata {@code dl4jquant.function.<output>}. On
 * request ({@link Results#SCORES_AND_VALUES}) it also returns what they make of the scores, in
 * float32 and not bit for bit.
 *
 * <p>ONNX Runtime computes every code as the reference engine does, at the graph optimization
 * levels {@code EXTENDED} and {@code ALL} (its default); below, it runs QDQ models in float32. On
 * x86-64 processors without VNNI it needs the session option {@code session.x64quantprecision} set
 * to {@code 1} for that: its faster default lets sums of two products of 8-bit weights saturate.
 * The engine {@code onnxruntime} sets it.
 */
public final class OnnxWriter {

    /** The version of ONNX's operators that models are written with. */
    public static final int OPSET = 13;

    private static final int IR_VERSION = 8;

    private static final String DOC =
            "An integer graph of dl4j-quant. ONNX Runtime computes it in integers at its graph"
                    + " optimization levels EXTENDED and ALL. On x86-64 processors without VNNI, run it"
                    + " with its session option session.x64quantprecision=1, so that no product"
                    + " saturates.";

    /** What a model returns for an output that has last functions. */
    public enum Results {
        /** The scores, the same in every bit everywhere. */
        SCORES,
        /**
         * The scores, and after all of them, under the name {@code <output>/value}, the values of
         * the last functions: operators of ONNX in float32, which runtimes compute to within some
         * float32 roundings of what engines return.
         */
        SCORES_AND_VALUES
    }

    private OnnxWriter() {}

    /**
     * Writes a graph to a file.
     *
     * @param graph the graph
     * @param file the file, replaced if it exists
     * @throws UncheckedIOException if it cannot be written
     */
    public static void write(IntGraph graph, Path file) {
        write(graph, file, Results.SCORES);
    }

    /**
     * Writes a graph to a file.
     *
     * @param graph the graph
     * @param file the file, replaced if it exists
     * @param results what the model returns
     * @throws UncheckedIOException if it cannot be written
     */
    public static void write(IntGraph graph, Path file, Results results) {
        Require.given(graph, "graph");
        Require.given(file, "file");
        Require.given(results, "results");
        try {
            WholeFile.write(file, toBytes(graph, results));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the ONNX model cannot be written to '" + file + "': " + e.getMessage(), e);
        }
    }

    /**
     * {@return the bytes of an ONNX model}
     *
     * @param graph the graph
     */
    public static byte[] toBytes(IntGraph graph) {
        return toBytes(graph, Results.SCORES);
    }

    /**
     * {@return the bytes of an ONNX model}
     *
     * @param graph the graph
     * @param results what the model returns
     */
    public static byte[] toBytes(IntGraph graph, Results results) {
        Require.given(graph, "graph");
        Require.given(results, "results");
        List<String> names = graph.nodes().stream().map(IntNode::name).toList();
        GraphProtoBuilder target = new GraphProtoBuilder(names);
        NodeWriter nodes = new NodeWriter(graph, target);
        graph.nodes().forEach(node -> node.accept(nodes));
        for (String name : names) {
            if (!graph.outputs().contains(name) && !isInput(graph, name)) {
                target.value(name, graph.type(name).shape(), dataType(graph.type(name)));
            }
        }
        for (String output : graph.outputs()) {
            target.output(output, dataType(graph.type(output)), graph.type(output).shape());
        }
        Map<String, String> metadata = new TreeMap<>();
        describe(graph, metadata);
        if (results == Results.SCORES_AND_VALUES) {
            writeTails(graph, target, metadata);
        }
        return model(target.build(), metadata).toByteArray();
    }

    private static void writeTails(
            IntGraph graph, GraphProtoBuilder target, Map<String, String> metadata) {
        graph.functions()
                .forEach(
                        (output, functions) -> {
                            String values = target.name(output + "/value");
                            new FunctionWriter(target, output).tail(functions, values);
                            target.output(values, DataType.FLOAT, graph.type(output).shape());
                            metadata.put(Provenance.TAIL + output, values);
                        });
    }

    private static ModelProto model(GraphProto proto, Map<String, String> metadata) {
        ModelProto.Builder model =
                ModelProto.newBuilder()
                        .setIrVersion(IR_VERSION)
                        .setProducerName(Provenance.PRODUCER)
                        .setProducerVersion(Provenance.version())
                        .setDocString(DOC)
                        .setGraph(proto);
        model.addOpsetImportBuilder().setDomain("").setVersion(OPSET);
        metadata.put(Provenance.HASH, Provenance.hash(proto, metadata));
        metadata.forEach(
                (key, value) -> model.addMetadataProps(GraphProtoBuilder.entry(key, value)));
        return model.build();
    }

    /* What ONNX cannot say: narrower ranges, signed codes, where inputs stand among the nodes, and
     * exact last functions. */
    private static void describe(IntGraph graph, Map<String, String> metadata) {
        graph.functions()
                .forEach(
                        (output, functions) ->
                                metadata.put(
                                        Provenance.FUNCTION + output,
                                        OutputFunction.text(functions)));
        for (int place = 0; place < graph.nodes().size(); place++) {
            IntNode node = graph.nodes().get(place);
            TensorType type = graph.type(node.name());
            boolean own = !(node instanceof KeepsCodes);
            if (own && type.isCodes() && !type.codes().range().equals(Containers.UINT8)) {
                metadata.put(Provenance.RANGE + node.name(), text(type.codes().range()));
            }
            if (node instanceof Weighted layer
                    && !layer.weights().range().equals(CodeRange.narrow(CodeRange.MAX_BITS))) {
                metadata.put(Provenance.WEIGHT_RANGE + node.name(), text(layer.weights().range()));
            }
            if (node instanceof Input && place != graph.inputs().indexOf(node)) {
                metadata.put(Provenance.INPUT_PLACE + node.name(), String.valueOf(place));
            }
        }
    }

    private static String text(CodeRange range) {
        return range.min() + " " + range.max();
    }

    private static boolean isInput(IntGraph graph, String name) {
        return graph.inputs().stream().anyMatch(input -> input.name().equals(name));
    }

    static DataType dataType(TensorType type) {
        return type.isCodes() ? DataType.UINT8 : DataType.FLOAT;
    }
}
