// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.form.Forms;
import org.dl4jquant.onnx.form.Provenance;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.MalformedMessageException;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.ModelProto;
import org.dl4jquant.onnx.wire.OperatorSetIdProto;
import org.dl4jquant.onnx.wire.StringStringEntryProto;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a quantized ONNX model as an integer graph.
 *
 * <p>What {@link OnnxWriter} wrote gives back an equal graph. Models of others are read, too, as
 * far as an integer graph can say what they mean, opsets 10 to 26: QDQ form and operators of codes
 * (QLinearConv and its like), weights of 8 and 4 bits with or without zero points, activations in
 * uint8 or int8 with one scale, biases in int32 or float32, functions of one element, and a Softmax
 * at the end. Everything else is refused by the node's name.
 *
 * <p>ONNX Runtime computes some of the forms of others in float32 and may round a code otherwise;
 * {@link #inspect} says for which nodes, see {@link OnnxReading}.
 *
 * <p>No number of the file is trusted: sizes are checked before anything is allocated (see {@link
 * IntGraph#MAX_ELEMENTS}), and operators must stand after those that they read.
 */
public final class OnnxReader {

    private static final Logger LOG = LoggerFactory.getLogger(OnnxReader.class);

    /** The length of the largest array. */
    private static final long MAX_BYTES = Integer.MAX_VALUE - 8;

    private static final long FIRST_OPSET = 10;
    private static final long LAST_OPSET = 26;

    private OnnxReader() {}

    /**
     * {@return the integer graph of a model}
     *
     * <p>If ONNX Runtime may round nodes of the file otherwise, a warning is logged; {@link
     * #inspect(Path)} returns them.
     *
     * @param file an ONNX file
     * @throws UncheckedIOException if the file cannot be read
     * @throws IllegalArgumentException if it is no ONNX model, is damaged, or holds what an integer
     *     graph cannot say; the message names file and node
     */
    public static IntGraph read(Path file) {
        Require.given(file, "file");
        return warned(inspect(file), file.toString());
    }

    /**
     * {@return the integer graph of a model}
     *
     * @param bytes the bytes of an ONNX file
     * @param name the model's name in messages
     * @throws IllegalArgumentException as {@link #read}
     */
    public static IntGraph fromBytes(byte[] bytes, String name) {
        Require.given(bytes, "bytes");
        Require.given(name, "name");
        return warned(inspect(bytes, name), name);
    }

    private static IntGraph warned(OnnxReading reading, String name) {
        if (!reading.deviations().isEmpty()) {
            LOG.warn("ONNX model '{}': {}", name, reading.text());
        }
        return reading.graph();
    }

    /**
     * {@return the integer graph of a model and the nodes that ONNX Runtime may round otherwise
     * when it runs the file as it is}
     *
     * @param file an ONNX file
     * @throws UncheckedIOException if the file cannot be read
     * @throws IllegalArgumentException as {@link #read}
     */
    public static OnnxReading inspect(Path file) {
        Require.given(file, "file");
        try {
            long size = Files.size(file);
            Require.argument(
                    size <= MAX_BYTES,
                    "ONNX model '%s' has %d bytes; at most %d can be read",
                    file,
                    size,
                    MAX_BYTES);
            return inspect(Files.readAllBytes(file), file.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the ONNX model '" + file + "' cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * {@return the integer graph of a model and the nodes that ONNX Runtime may round otherwise
     * when it runs the file as it is}
     *
     * @param bytes the bytes of an ONNX file
     * @param name the model's name in messages
     * @throws IllegalArgumentException as {@link #read}
     */
    public static OnnxReading inspect(byte[] bytes, String name) {
        Require.given(bytes, "bytes");
        Require.given(name, "name");
        try {
            return reading(Message.read(ModelProto.SCHEMA, bytes));
        } catch (MalformedMessageException e) {
            throw new IllegalArgumentException(
                    "ONNX model '%s' of %d bytes is damaged, or no ONNX model: %s; write it again"
                            .formatted(name, bytes.length, e.getMessage()),
                    e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("ONNX model '" + name + "': " + e.getMessage(), e);
        }
    }

    private static OnnxReading reading(Message model) {
        Message graph = model.get(ModelProto.GRAPH);
        Require.argument(
                graph.has(GraphProto.NODE),
                "there is no graph with operators in it; it is empty, cut off or no ONNX model");
        long opset = requireOpset(model.get(ModelProto.OPSET_IMPORT));
        Require.argument(
                !graph.has(GraphProto.SPARSE_INITIALIZER) && !model.has(ModelProto.TRAINING_INFO),
                "it has sparse initializers or training information, which are not understood");
        Map<String, String> metadata = new HashMap<>();
        for (Message entry : model.get(ModelProto.METADATA_PROPS)) {
            metadata.put(
                    entry.get(StringStringEntryProto.KEY), entry.get(StringStringEntryProto.VALUE));
        }
        if (metadata.containsKey(Provenance.HASH)) {
            requireHash(graph, metadata);
        }
        boolean own = model.get(ModelProto.PRODUCER_NAME).equals(Provenance.PRODUCER);
        return OnnxReading.of(Forms.read(graph, metadata, own ? 0 : opset));
    }

    private static long requireOpset(List<Message> imports) {
        List<Long> versions =
                imports.stream()
                        .filter(OnnxReader::isOwn)
                        .map(opset -> opset.get(OperatorSetIdProto.VERSION))
                        .toList();
        Require.argument(
                versions.size() == 1,
                "it names %d versions of ONNX's operators; it must name one, %d to %d",
                versions.size(),
                FIRST_OPSET,
                LAST_OPSET);
        Require.argument(
                versions.get(0) >= FIRST_OPSET && versions.get(0) <= LAST_OPSET,
                "it uses version %d of ONNX's operators; understood are %d to %d, export it with"
                        + " one of these",
                versions.get(0),
                FIRST_OPSET,
                LAST_OPSET);
        return versions.get(0);
    }

    private static boolean isOwn(Message opset) {
        String domain = opset.get(OperatorSetIdProto.DOMAIN);
        return domain.isEmpty() || domain.equals("ai.onnx");
    }

    private static void requireHash(Message graph, Map<String, String> metadata) {
        String said = metadata.getOrDefault(Provenance.HASH, "");
        String found = Provenance.hash(graph, metadata);
        Require.argument(
                found.equals(said),
                "the graph's SHA-256 is %s, but the model says %s: it is damaged, or was edited;"
                        + " write it again, or, if the edit is meant, remove the metadata '%s'",
                found,
                said,
                Provenance.HASH);
    }
}
