// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.files.LineLog;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/** Appends statistics to a file, one JSON object a line. */
final class JsonLines implements StatisticsSink {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BEGINNING = "{\"iteration\":";

    private final LineLog file;
    private boolean closed;

    private JsonLines(LineLog file) {
        this.file = file;
    }

    static JsonLines open(Path path) {
        try {
            LineLog file = LineLog.beginningWith(path, "statistics of quantizers", BEGINNING);
            file.add(List.of());
            return new JsonLines(file);
        } catch (IOException e) {
            throw unwritable(path, e);
        }
    }

    private static UncheckedIOException unwritable(Path path, IOException cause) {
        return new UncheckedIOException(
                "the statistics cannot be written to "
                        + path.toAbsolutePath()
                        + ": "
                        + (cause.getCause() == null ? cause : cause.getCause())
                        + "; name a file in a folder that is there and may be written to",
                cause);
    }

    @Override
    public void report(List<QuantizerStatistics> quantizers) {
        try {
            if (closed) {
                throw new ClosedChannelException();
            }
            file.add(quantizers.stream().map(JsonLines::line).toList());
        } catch (IOException e) {
            throw unwritable(file.file(), e);
        }
    }

    private static String line(QuantizerStatistics one) {
        ObjectNode object = JSON.createObjectNode();
        object.put("iteration", one.iteration())
                .put("epoch", one.epoch())
                .put("layer", one.layer())
                .put("parameters", one.parameters())
                .put("tensor", one.tensor());
        put(object, "smallestScale", one.smallestScale());
        put(object, "largestScale", one.largestScale());
        put(object, "saturation", one.saturation());
        put(object, "sqnr", one.sqnr());
        put(object, "gradientRatio", one.gradientRatio());
        try {
            return JSON.writeValueAsString(object);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the statistics are no JSON: " + one, e);
        }
    }

    private static void put(ObjectNode object, String name, double number) {
        if (Double.isFinite(number)) {
            object.put(name, number);
        } else {
            object.putNull(name);
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
