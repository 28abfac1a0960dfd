// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The results of a search on disk: {@code search.txt} says what they are results of, {@code
 * results.jsonl} has one JSON object a line for each candidate, and {@code networks} has the model
 * files of the measured ones.
 *
 * <p>A result is on disk before the search goes on. A line that a killed search left unfinished is
 * dropped, and its candidate tried again.
 */
final class SearchFolder {

    private static final Logger log = LoggerFactory.getLogger(SearchFolder.class);

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NAME_DIGITS = 12;

    private final Path results;
    private final Path networks;
    private final Map<String, SearchResult> bySpec = new LinkedHashMap<>();

    private SearchFolder(Path folder) {
        this.results = folder.resolve("results.jsonl");
        this.networks = folder.resolve("networks");
    }

    /**
     * {@return the folder, with what it has}
     *
     * @param folder made if it is not there
     * @param description what the results depend on
     * @throws IllegalStateException if the folder holds results of something else, or is damaged
     */
    static SearchFolder open(Path folder, String description) {
        try {
            SearchFolder opened = new SearchFolder(folder);
            Files.createDirectories(opened.networks);
            requireSame(folder, description);
            opened.read();
            return opened;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot use the results folder " + folder, e);
        }
    }

    private static void requireSame(Path folder, String description) throws IOException {
        Path file = folder.resolve("search.txt");
        if (!Files.exists(file)) {
            Files.writeString(file, description);
            return;
        }
        String found = Files.readString(file);
        Require.state(
                found.equals(description),
                "%s holds results of another search: '%s', not '%s'; give another folder, or move"
                        + " this one away",
                folder,
                found,
                description);
    }

    private void read() throws IOException {
        if (!Files.exists(results)) {
            return;
        }
        String text = Files.readString(results);
        int whole = text.lastIndexOf('\n') + 1;
        if (whole < text.length()) {
            log.warn("{} ends inside a line; its candidate is tried again", results);
            replace(results, text.substring(0, whole).getBytes(StandardCharsets.UTF_8));
        }
        int number = 0;
        for (String line : text.substring(0, whole).lines().toList()) {
            number++;
            SearchResult result = parse(line, number);
            bySpec.put(result.spec().toJson(), result);
        }
    }

    private SearchResult parse(String line, int number) {
        try {
            JsonNode node = JSON.readTree(line);
            Outcome outcome =
                    new Outcome(
                            Outcome.Status.valueOf(node.path("status").asText()),
                            number(node, "accuracy"),
                            node.path("bytes").asLong(),
                            number(node, "milliseconds"),
                            number(node, "seconds"),
                            node.path("reason").asText());
            QuantSpec spec = QuantSpec.fromJson(node.path("spec").toString());
            return new SearchResult(spec, outcome, network(spec));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    results
                            + ", line "
                            + number
                            + ", is no result of a search: remove the line, and its candidate is"
                            + " tried again ("
                            + e.getMessage()
                            + ")",
                    e);
        }
    }

    private static double number(JsonNode node, String key) {
        JsonNode child = node.path(key);
        return child.isNull() ? Double.NaN : child.asDouble(Double.NaN);
    }

    private Optional<Path> network(QuantSpec spec) {
        Path file = networkFile(spec);
        return Files.exists(file) ? Optional.of(file) : Optional.empty();
    }

    private Path networkFile(QuantSpec spec) {
        return networks.resolve(name(spec) + ".zip");
    }

    private static String name(QuantSpec spec) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(spec.toJson().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash).substring(0, NAME_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    /** {@return what is known of a candidate} */
    synchronized Optional<SearchResult> find(QuantSpec spec) {
        return Optional.ofNullable(bySpec.get(spec.toJson()));
    }

    /** {@return all results, in the order in which they came} */
    synchronized List<SearchResult> all() {
        return new ArrayList<>(bySpec.values());
    }

    /** Keeps a result, the network first. */
    synchronized SearchResult add(QuantSpec spec, Trial.Finished finished) {
        try {
            if (finished.network().length > 0) {
                replace(networkFile(spec), finished.network());
            }
            SearchResult result = new SearchResult(spec, finished.outcome(), network(spec));
            Files.writeString(
                    results,
                    line(result) + "\n",
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND,
                    StandardOpenOption.SYNC);
            bySpec.put(spec.toJson(), result);
            return result;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to the results folder", e);
        }
    }

    private static void replace(Path file, byte[] bytes) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + ".part");
        Files.write(draft, bytes);
        Files.move(draft, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String line(SearchResult result) throws IOException {
        Outcome outcome = result.outcome();
        ObjectNode node = JSON.createObjectNode().put("status", outcome.status().name());
        put(node, "accuracy", outcome.accuracy());
        node.put("bytes", outcome.bytes());
        put(node, "milliseconds", outcome.milliseconds());
        put(node, "seconds", outcome.seconds());
        node.put("reason", outcome.reason());
        node.set("spec", JSON.readTree(result.spec().toJson()));
        return JSON.writeValueAsString(node);
    }

    private static void put(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) {
            node.put(key, value);
        } else {
            node.putNull(key);
        }
    }
}
