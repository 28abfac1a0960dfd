// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import onnx.Onnx.GraphProto;
import org.dl4jquant.files.Checksum;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/**
 * The keys of an ONNX model's metadata that are ours: where the model comes from, and what ONNX has
 * no other word for.
 */
final class Provenance {

    static final String PRODUCER = "dl4j-quant";

    /** Every key of ours begins with it. */
    static final String PREFIX = "dl4jquant.";

    /** SHA-256 of the model's graph as protobuf bytes and of our other metadata, in their order. */
    static final String HASH = PREFIX + "sha256";

    /** Prefix; the codes that a tensor may hold, where they are not all of a uint8. */
    static final String RANGE = PREFIX + "range.";

    /** Prefix; the codes that a node's weights may hold, where they are not [-127, 127]. */
    static final String WEIGHT_RANGE = PREFIX + "weights.";

    /** Prefix; the place of an input among all nodes, where inputs do not come first. */
    static final String INPUT_PLACE = PREFIX + "input.";

    /** Prefix; the last functions of an output, whose scores the model returns. */
    static final String FUNCTION = PREFIX + "function.";

    /**
     * Prefix; the name of the values after an output's last functions, where the model has them.
     */
    static final String TAIL = PREFIX + "tail.";

    private Provenance() {}

    /** {@return the version of this library, from its jar} */
    static String version() {
        String version = Provenance.class.getPackage().getImplementationVersion();
        return version == null ? "not packaged" : version;
    }

    /**
     * {@return the SHA-256 of a graph and of our metadata, in hexadecimal}
     *
     * @param graph the ONNX graph
     * @param metadata all metadata of the model
     */
    static String hash(GraphProto graph, Map<String, String> metadata) {
        MessageDigest digest = Checksum.sha256();
        digest.update(asRead(graph).toByteArray());
        new TreeMap<>(metadata)
                .forEach(
                        (key, value) -> {
                            if (key.startsWith(PREFIX) && !key.equals(HASH)) {
                                String line = key + "=" + value + "\n";
                                digest.update(line.getBytes(StandardCharsets.UTF_8));
                            }
                        });
        return HexFormat.of().formatHex(digest.digest());
    }

    /* Reading drops the values that are 0, so that writer and reader hash the same bytes. */
    private static GraphProto asRead(GraphProto graph) {
        try {
            return GraphProto.parseFrom(graph.toByteArray());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("protobuf does not read what it wrote", e);
        }
    }
}
