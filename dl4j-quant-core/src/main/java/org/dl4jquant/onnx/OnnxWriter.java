// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.onnx.form.Forms;
import org.dl4jquant.onnx.form.PackedWeights;
import org.dl4jquant.onnx.form.Provenance;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.MessageBuilder;
import org.dl4jquant.onnx.wire.ModelProto;
import org.dl4jquant.onnx.wire.OperatorSetIdProto;
import org.dl4jquant.onnx.wire.StringStringEntryProto;

/**
 * Writes an integer graph as an ONNX model in QDQ form.
 *
 * <p>Opset 13 and IR version 8, or 21 and 10 if some weights have four bits or fewer, which lie two
 * in a byte; a free batch dimension {@code N}. Names of nodes are kept; the result of a node is the
 * tensor of its name. All codes are uint8: signed ones stand 128 higher, with their zero point, and
 * the metadata says so. {@link OnnxReader} gives back an equal graph.
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

    /** The version of ONNX's operators that models without packed weights are written with. */
    public static final int OPSET = 13;

    private static final long IR_VERSION = 8;

    /** The first that has types of 4 bits. */
    private static final long PACKED_IR_VERSION = 10;

    private static final String DOC =
            "An integer graph of dl4j-quant. ONNX Runtime computes it in integers at its graph"
                    + " optimization levels EXTENDED and ALL. On x86-64 processors without VNNI, run it"
                    + " with its session option session.x64quantprecision=1, so that no product"
                    + " saturates.";

    /** The results of a model for an output that has last functions. */
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
     * @param results the results that the model returns
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
     * @param results the results that the model returns
     */
    public static byte[] toBytes(IntGraph graph, Results results) {
        Require.given(graph, "graph");
        Require.given(results, "results");
        Map<String, String> metadata = new TreeMap<>();
        Message written = Forms.write(graph, results == Results.SCORES_AND_VALUES, metadata);
        return model(written, metadata).toBytes();
    }

    /**
     * {@return the bytes of an ONNX model of integer parts with steps in float between them}
     *
     * @param graph the integer parts; results of islands are inputs
     * @param islands the steps in float
     * @param leaving the tensors that leave the model; of those that have last functions, the
     *     values do, too, under the name {@code <output>/value}
     */
    static byte[] hybrid(IntGraph graph, List<FloatIsland> islands, List<String> leaving) {
        Map<String, String> metadata = new TreeMap<>();
        Message written = Forms.writeHybrid(graph, islands, leaving, metadata);
        return model(written, metadata).toBuilder()
                .set(
                        ModelProto.DOC_STRING,
                        "Integer parts of dl4j-quant, and steps in float between them, which the"
                                + " metadata dl4jquant.island.* name: outside of its promise of"
                                + " equal bits.")
                .build()
                .toBytes();
    }

    private static Message model(Message graph, Map<String, String> metadata) {
        boolean packed = PackedWeights.areIn(graph);
        MessageBuilder model =
                Message.builder(ModelProto.SCHEMA)
                        .set(ModelProto.IR_VERSION, packed ? PACKED_IR_VERSION : IR_VERSION)
                        .set(ModelProto.PRODUCER_NAME, Provenance.PRODUCER)
                        .set(ModelProto.PRODUCER_VERSION, Provenance.version())
                        .set(ModelProto.DOC_STRING, DOC)
                        .set(ModelProto.GRAPH, graph)
                        .add(ModelProto.OPSET_IMPORT, opset(packed ? PackedWeights.OPSET : OPSET));
        metadata.put(Provenance.HASH, Provenance.hash(graph, metadata));
        metadata.forEach(
                (key, value) ->
                        model.add(
                                ModelProto.METADATA_PROPS, StringStringEntryProto.of(key, value)));
        return model.build();
    }

    private static Message opset(long version) {
        return Message.builder(OperatorSetIdProto.SCHEMA)
                .set(OperatorSetIdProto.DOMAIN, "")
                .set(OperatorSetIdProto.VERSION, version)
                .build();
    }
}
