// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.StrictJson;
import org.dl4jquant.files.WholeFile;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/**
 * Named numbers for programs, as JSON.
 *
 * <p>A dot in a name opens an object: {@code accuracy.float} and {@code accuracy.qat} become
 *
 * <pre>{@code
 * { "accuracy" : { "float" : 0.9812, "qat" : 0.9805 } }
 * }</pre>
 */
public final class Figures {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9]+(\\.[A-Za-z0-9]+)*");
    private static final Pattern DOT = Pattern.compile("\\.");
    private static final ObjectMapper JSON = StrictJson.mapper();

    private final ObjectNode root = JSON.createObjectNode();

    /**
     * Adds a whole number.
     *
     * @param name letters and digits, with dots between the names of objects
     * @param value the number
     * @return these figures
     * @throws IllegalArgumentException if the name is not of this form, is there already, or is
     *     that of an object
     */
    @CanIgnoreReturnValue
    public Figures with(String name, long value) {
        parent(name).put(last(name), value);
        return this;
    }

    /**
     * Adds a number.
     *
     * @param name letters and digits, with dots between the names of objects
     * @param value the number, finite
     * @return these figures
     * @throws IllegalArgumentException as {@link #with(String, long)}, or if the number is not
     *     finite, which JSON cannot say
     */
    @CanIgnoreReturnValue
    public Figures with(String name, double value) {
        Require.argument(Double.isFinite(value), "figure '%s' is %s, not finite", name, value);
        parent(name).put(last(name), value);
        return this;
    }

    private ObjectNode parent(String name) {
        Require.argument(
                NAME.matcher(name).matches(),
                "figure '%s' is not named by letters and digits with single dots between them",
                name);
        ObjectNode at = root;
        String[] parts = DOT.split(name, -1);
        for (int i = 0; i < parts.length - 1; i++) {
            JsonNode next = at.has(parts[i]) ? at.get(parts[i]) : at.putObject(parts[i]);
            Require.argument(
                    next instanceof ObjectNode,
                    "figure '%s' would lie within the number '%s'; rename one of them",
                    name,
                    parts[i]);
            at = (ObjectNode) next;
        }
        Require.argument(!at.has(last(name)), "there is a figure '%s' already", name);
        return at;
    }

    private static String last(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** {@return the figures as indented JSON, in the order in which they came} */
    public String toJson() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the figures cannot be written as JSON: " + root, e);
        }
    }

    /**
     * Writes the figures to a file, over what it held.
     *
     * @param file in a folder that exists
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        WholeFile.write(file, toJson() + "\n");
    }
}
