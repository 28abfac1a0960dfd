// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * How long kernels took, so that a GPU is asked once only.
 *
 * <p>A time belongs to a GPU (name, architecture, multiprocessors, second-level cache and driver),
 * to a batch and to the SHA-256 of machine code, which a kernel's problem, constants, source and
 * compiler are all part of: with any of them changed, the kernel is timed again. The file has a
 * JSON object a line, and only grows; several processes may write it.
 */
public final class TacticCache {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final @Nullable Path file;
    private final Map<Key, Double> times = new ConcurrentHashMap<>();

    /**
     * What was timed.
     *
     * @param gpu the GPU and its driver
     * @param examples the batch
     * @param code the SHA-256 of what ran
     */
    record Key(String gpu, int examples, String code) {}

    private TacticCache(@Nullable Path file) {
        this.file = file;
    }

    /** {@return a cache that is forgotten with the JVM} */
    public static TacticCache inMemory() {
        return new TacticCache(null);
    }

    /**
     * {@return the times in a file, which new ones are added to}
     *
     * @param file made when the first time is added
     * @throws IOException if the file cannot be read; the message says which line is wrong. A last
     *     line without an end, left by a process that was killed, is no error
     */
    public static TacticCache of(Path file) throws IOException {
        TacticCache cache = new TacticCache(file);
        if (Files.exists(file)) {
            String text = Files.readString(file, StandardCharsets.UTF_8);
            String whole = text.substring(0, text.lastIndexOf('\n') + 1);
            int number = 0;
            for (String line : whole.lines().toList()) {
                number++;
                cache.read(line, number);
            }
            if (whole.length() < text.length()) {
                // What comes next must not be glued to the rest of a line.
                Files.writeString(file, whole, StandardCharsets.UTF_8);
            }
        }
        return cache;
    }

    private void read(String line, int number) throws IOException {
        try {
            JsonNode node = JSON.readTree(line);
            double micros = Objects.requireNonNull(node.get("micros")).asDouble();
            if (!(micros > 0)) {
                throw new IOException("its time is " + micros);
            }
            times.put(
                    new Key(
                            Objects.requireNonNull(node.get("gpu")).asText(),
                            Objects.requireNonNull(node.get("examples")).asInt(),
                            Objects.requireNonNull(node.get("code")).asText()),
                    micros);
        } catch (IOException | NullPointerException e) {
            throw new IOException(
                    "line %d of the tactic cache %s is damaged; delete the line, or the file: it is made anew"
                            .formatted(number, file),
                    e);
        }
    }

    /** {@return the time in microseconds, if it is known} */
    OptionalDouble micros(Key key) {
        Double micros = times.get(key);
        return micros == null ? OptionalDouble.empty() : OptionalDouble.of(micros);
    }

    /** Keeps a time. */
    void put(Key key, double micros) throws IOException {
        times.put(key, micros);
        Path path = file;
        if (path != null) {
            Files.writeString(
                    path,
                    line(key, micros),
                    StandardCharsets.UTF_8,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        }
    }

    private static String line(Key key, double micros) throws JsonProcessingException {
        return JSON.writeValueAsString(
                        JSON.createObjectNode()
                                .put("gpu", key.gpu())
                                .put("examples", key.examples())
                                .put("code", key.code())
                                .put("micros", micros))
                + "\n";
    }

    /** {@return how many times it holds} */
    public int size() {
        return times.size();
    }
}
