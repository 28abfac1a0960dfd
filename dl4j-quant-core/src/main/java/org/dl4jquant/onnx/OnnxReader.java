// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.StringStringEntryProto;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads an ONNX model in QDQ form as an integer graph.
 *
 * <p>What {@link OnnxWriter} wrote gives back an equal graph. Models of others are read, too, as
 * far as an integer graph can say what they mean: opsets 13 to 21, symmetric int8 weights with a
 * scale per channel or one, activations in uint8 or int8 with one scale, an int32 bias of the scale
 * that belongs to it, and a QuantizeLinear after every operator but the last. Everything else is
 * refused by the node's name.
 *
 * <p>ONNX Runtime computes some of the forms of others in float32 and may round a code otherwise;
 * {@link #inspect} says for which nodes, see {@link OnnxReading}.
 *
 * <p>No number of the file is trusted: sizes are checked before anything is allocated (see {@link
 * IntGraph#MAX_ELEMENTS}), and operators must stand after those that they read.
 */
public final class OnnxReader {

    private static final Logger LOG = LoggerFactory.getLogger(OnnxReader.class);

    /** What protobuf reads. */
    private static final long MAX_BYTES = Integer.MAX_VALUE - 8;

    private static final long FIRST_OPSET = 13;
    private static final long LAST_OPSET = 21;

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
     * @param name what messages call the model
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
     * @param name what messages call the model
     * @throws IllegalArgumentException as {@link #read}
     */
    public static OnnxReading inspect(byte[] bytes, String name) {
        Require.given(bytes, "bytes");
        Require.given(name, "name");
        try {
            return reading(ModelProto.parseFrom(bytes));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(
                    "ONNX model '%s' of %d bytes is damaged, or no ONNX model: %s; write it again"
                            .formatted(name, bytes.length, e.getMessage()),
                    e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("ONNX model '" + name + "': " + e.getMessage(), e);
        }
    }

    private static OnnxReading reading(ModelProto model) {
        GraphProto graph = model.getGraph();
        Require.argument(
                model.hasGraph() && graph.getNodeCount() > 0,
                "there is no graph with operators in it; it is empty, cut off or no ONNX model");
        long versions = model.getOpsetImportList().stream().filter(OnnxReader::isOwn).count();
        Require.argument(
                versions == 1,
                "it names %d versions of ONNX's operators; it must name one, %d to %d",
                versions,
                FIRST_OPSET,
                LAST_OPSET);
        for (OperatorSetIdProto opset : model.getOpsetImportList()) {
            boolean own = isOwn(opset);
            Require.argument(
                    !own || (opset.getVersion() >= FIRST_OPSET && opset.getVersion() <= LAST_OPSET),
                    "it uses version %d of ONNX's operators; understood are %d to %d, export it with"
                            + " one of these",
                    opset.getVersion(),
                    FIRST_OPSET,
                    LAST_OPSET);
        }
        Require.argument(
                graph.getSparseInitializerCount() == 0 && model.getTrainingInfoCount() == 0,
                "it has sparse initializers or training information, which are not understood");
        Map<String, String> metadata = new HashMap<>();
        for (StringStringEntryProto entry : model.getMetadataPropsList()) {
            metadata.put(entry.getKey(), entry.getValue());
        }
        if (metadata.containsKey(Provenance.HASH)) {
            requireHash(graph, metadata);
        }
        return new QdqReader(new QdqContext(withoutTails(graph, metadata), metadata)).read();
    }

    /* The float tails of outputs say again what the metadata say exactly. */
    private static GraphProto withoutTails(GraphProto graph, Map<String, String> metadata) {
        Set<String> tails = new HashSet<>();
        metadata.forEach(
                (key, value) -> {
                    if (key.startsWith(Provenance.TAIL)) {
                        tails.add(value);
                    }
                });
        if (tails.isEmpty()) {
            return graph;
        }
        GraphProto.Builder rest = graph.toBuilder().clearNode().clearOutput();
        graph.getNodeList().stream()
                .filter(node -> !node.getDocString().equals(FunctionWriter.TAIL))
                .forEach(rest::addNode);
        graph.getOutputList().stream()
                .filter(output -> !tails.contains(output.getName()))
                .forEach(rest::addOutput);
        return rest.build();
    }

    private static boolean isOwn(OperatorSetIdProto opset) {
        return opset.getDomain().isEmpty() || opset.getDomain().equals("ai.onnx");
    }

    private static void requireHash(GraphProto graph, Map<String, String> metadata) {
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
