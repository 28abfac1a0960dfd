// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.onnx.wire.Message;

/**
 * The keys of an ONNX model's metadata that are ours: where the model comes from, and what ONNX has
 * no other word for.
 */
public final class Provenance {

    /** The name of the producer in the model, and of the graph. */
    public static final String PRODUCER = "dl4j-quant";

    /** Every key of ours begins with it. */
    public static final String PREFIX = "dl4jquant.";

    /**
     * SHA-256 of the model's graph, as bytes without the fields that hold their default, and of our
     * other metadata, in the order of their keys.
     */
    public static final String HASH = PREFIX + "sha256";

    /** Prefix; the codes that a tensor may hold, where they are not all of a uint8. */
    public static final String RANGE = PREFIX + "range.";

    /** Prefix; the codes that a node's weights may hold, where they are not [-127, 127]. */
    public static final String WEIGHT_RANGE = PREFIX + "weights.";

    /** Prefix; the place of an input among all nodes, where inputs do not come first. */
    public static final String INPUT_PLACE = PREFIX + "input.";

    /** Prefix; how many steps the sequences of an input have in the graph, whose number is free. */
    public static final String STEPS = PREFIX + "steps.";

    /** Prefix; the last functions of an output, whose scores the model returns. */
    public static final String FUNCTION = PREFIX + "function.";

    /**
     * Prefix; the name of the values after an output's last functions, where the model has them.
     */
    public static final String TAIL = PREFIX + "tail.";

    /** Prefix; the arithmetic of a node that reads, multiplies or makes codes of 16 bits. */
    static final String WIDE = PREFIX + "wide.";

    /**
     * Prefix; the reason why a step of a network is in float in the model, which is then no integer
     * graph.
     */
    public static final String ISLAND = PREFIX + "island.";

    /** Prefix; a recurrent node's kind, direction, codes of its weights, and functions. */
    static final String RECURRENT = PREFIX + "recurrent.";

    private Provenance() {}

    /** {@return the version of this library, from its jar} */
    public static String version() {
        String version = Provenance.class.getPackage().getImplementationVersion();
        return version == null ? "not packaged" : version;
    }

    /**
     * {@return the SHA-256 of a graph and of our metadata, in hexadecimal}
     *
     * @param graph the ONNX graph
     * @param metadata all metadata of the model
     */
    public static String hash(Message graph, Map<String, String> metadata) {
        Require.given(metadata, "metadata");
        MessageDigest digest = Checksum.sha256();
        digest.update(Require.given(graph, "graph").withoutDefaults().toBytes());
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
}
