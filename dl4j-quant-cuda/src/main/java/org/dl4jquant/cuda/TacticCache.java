// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.CheckedLine;
import org.dl4jquant.files.LineLog;
import org.dl4jquant.files.StrictJson;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * How long kernels took, so that a GPU is asked once only.
 *
 * <p>A time belongs to a GPU (name, architecture, multiprocessors, second-level cache and driver),
 * to a batch and to the SHA-256 of machine code, which a kernel's problem, constants, source and
 * compiler are all part of: with any of them changed, the kernel is timed again. The file is a
 * {@link LineLog} of {@link CheckedLine}s after a line that names the format; several processes may
 * write it.
 */
public final class TacticCache {

    private static final ObjectMapper JSON = StrictJson.mapper();

    private static final System.Logger LOG = System.getLogger(TacticCache.class.getName());
    private static final String HEADER = "{\"format\":\"dl4j-quant times of kernels 2\"}";

    private final @Nullable LineLog file;
    private volatile boolean full;
    private final Map<Key, Double> times = new ConcurrentHashMap<>();

    /**
     * What was timed.
     *
     * @param gpu the GPU and its driver
     * @param examples the batch
     * @param code the SHA-256 of what ran
     */
    record Key(String gpu, int examples, String code) {}

    private TacticCache(@Nullable LineLog file) {
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
     *     line without an end, left by a process that was killed, is cut off with a warning
     */
    public static TacticCache of(Path file) throws IOException {
        try {
            LineLog log = LineLog.withHeader(file, "times of kernels", HEADER);
            TacticCache cache = new TacticCache(log);
            int number = 1;
            for (String line : log.lines()) {
                number++;
                cache.read(line, number, file);
            }
            return cache;
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private void read(String line, int number, Path file) throws IOException {
        try {
            JsonNode node = JSON.readTree(CheckedLine.open(line));
            double micros = StrictJson.number(node, "micros");
            Require.argument(micros > 0, "its time is %s", micros);
            String gpu = StrictJson.text(node, "gpu");
            int examples = StrictJson.integer(node, "examples");
            times.put(new Key(gpu, examples, StrictJson.text(node, "code")), micros);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IOException(
                    "line %d of the tactic cache %s is damaged (%s); delete the line, or the file: it is made anew"
                            .formatted(number, file, e.getMessage()),
                    e);
        }
    }

    /** {@return the time in microseconds, if it is known} */
    OptionalDouble micros(Key key) {
        Double micros = times.get(key);
        return micros == null ? OptionalDouble.empty() : OptionalDouble.of(micros);
    }

    /** Keeps a time; a file that cannot be written is a warning, once. */
    void put(Key key, double micros) {
        times.put(key, micros);
        LineLog log = file;
        if (log == null || full) {
            return;
        }
        try {
            log.add(List.of(line(key, micros)));
        } catch (IOException e) {
            full = true;
            LOG.log(
                    System.Logger.Level.WARNING,
                    "times of kernels are kept until this process ends, no longer: {0}",
                    e.getMessage());
        }
    }

    private static String line(Key key, double micros) throws JsonProcessingException {
        return CheckedLine.seal(
                JSON.writeValueAsString(
                        JSON.createObjectNode()
                                .put("gpu", key.gpu())
                                .put("examples", key.examples())
                                .put("code", key.code())
                                .put("micros", micros)));
    }

    /** {@return how many times it holds} */
    public int size() {
        return times.size();
    }
}
