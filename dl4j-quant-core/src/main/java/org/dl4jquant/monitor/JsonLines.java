// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.check.Require;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/** Appends statistics to a file, one JSON object a line. */
final class JsonLines implements StatisticsSink {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] BEGINNING = "{\"iteration\":".getBytes(StandardCharsets.US_ASCII);

    private final Path path;
    private final FileChannel file;

    private JsonLines(Path path, FileChannel file) {
        this.path = path;
        this.file = file;
    }

    static JsonLines open(Path path) {
        try {
            FileChannel file =
                    FileChannel.open(
                            path,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE);
            JsonLines opened = new JsonLines(path, file);
            try {
                opened.requireOurs();
                opened.goToTheEndOfTheLastWholeLine();
            } catch (IOException | RuntimeException e) {
                file.close();
                throw e;
            }
            return opened;
        } catch (IOException e) {
            throw unwritable(path, e);
        }
    }

    private static UncheckedIOException unwritable(Path path, IOException cause) {
        return new UncheckedIOException(
                "the statistics cannot be written to "
                        + path.toAbsolutePath()
                        + ": "
                        + cause
                        + "; name a file in a folder that is there and may be written to",
                cause);
    }

    private void requireOurs() throws IOException {
        ByteBuffer found = ByteBuffer.allocate(BEGINNING.length);
        int read = Math.max(0, file.read(found, 0));
        Require.argument(
                Arrays.equals(found.array(), 0, read, BEGINNING, 0, read),
                "%s holds something else than statistics of quantizers, whose lines begin with %s;"
                        + " name another file, or delete it",
                path.toAbsolutePath(),
                new String(BEGINNING, StandardCharsets.US_ASCII));
    }

    private void goToTheEndOfTheLastWholeLine() throws IOException {
        ByteBuffer one = ByteBuffer.allocate(1);
        long end = file.size();
        while (end > 0 && file.read(one.clear(), end - 1) == 1 && one.get(0) != '\n') {
            end--;
        }
        file.truncate(end).position(end);
    }

    @Override
    public void report(List<QuantizerStatistics> quantizers) {
        StringBuilder lines = new StringBuilder();
        quantizers.forEach(one -> lines.append(line(one)).append('\n'));
        ByteBuffer bytes = ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.UTF_8));
        try {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
        } catch (IOException e) {
            throw unwritable(path, e);
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
        try {
            file.close();
        } catch (IOException e) {
            throw unwritable(path, e);
        }
    }
}
