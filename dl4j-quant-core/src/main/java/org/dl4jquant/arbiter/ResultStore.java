// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.CheckedLine;
import org.dl4jquant.files.Checksum;
import org.dl4jquant.files.LineLog;
import org.dl4jquant.files.StrictJson;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/**
 * The results of a search on disk: {@code search.txt} says what they are results of, {@code
 * results.jsonl} has one {@link CheckedLine} for each candidate, and {@code networks} has the model
 * files of the measured ones. It means the same on every platform.
 *
 * <p>A result is on disk before the search goes on. A line that a killed search left unfinished is
 * cut off with a warning, and its candidate tried again.
 */
final class ResultStore {

    private static final ObjectMapper JSON = StrictJson.mapper();
    private static final int NAME_DIGITS = 12;
    private static final String FORMAT = "dl4j-quant search 2\n";

    private final LineLog results;
    private final Path networks;
    private final Map<String, SearchResult> bySpec = new LinkedHashMap<>();

    private ResultStore(Path folder) throws IOException {
        Path lines = folder.resolve("results.jsonl");
        this.results = LineLog.beginningWith(lines, "results of a search", "{");
        this.networks = folder.resolve("networks");
    }

    /**
     * {@return the folder, with what it has}
     *
     * @param folder made if it is not there
     * @param description of everything that the results depend on
     * @throws IllegalStateException if the folder holds results of something else, or is damaged
     */
    static ResultStore open(Path folder, String description) {
        try {
            ResultStore opened = new ResultStore(folder);
            Files.createDirectories(opened.networks);
            opened.requireSame(folder, description);
            opened.read();
            return opened;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot use the results folder " + folder + ": " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private void requireSame(Path folder, String description) throws IOException {
        Path file = folder.resolve("search.txt");
        if (!Files.exists(file)) {
            Require.state(
                    results.lines().isEmpty(),
                    "%s holds results, and no search.txt that says of which search; bring it back,"
                            + " or give another folder",
                    folder);
            WholeFile.write(file, FORMAT + description);
            return;
        }
        // What is no UTF-8 is no description of ours.
        String found =
                new String(Files.readAllBytes(file), StandardCharsets.UTF_8).replace("\r\n", "\n");
        Require.state(
                found.startsWith(FORMAT),
                "%s does not begin with '%s', the version that is read: it is damaged, or of another"
                        + " version; give another folder, or move this one away",
                file,
                FORMAT.strip());
        Require.state(
                found.equals(FORMAT + description),
                "%s holds results of another search: '%s', not '%s'; give another folder, or move"
                        + " this one away",
                folder,
                found.substring(FORMAT.length()),
                description);
    }

    private void read() throws IOException {
        int number = 0;
        for (String line : results.lines()) {
            number++;
            SearchResult result = parse(line, number);
            bySpec.put(result.spec().toJson(), result);
        }
    }

    private SearchResult parse(String line, int number) {
        try {
            JsonNode node = JSON.readTree(CheckedLine.open(line));
            Outcome outcome =
                    new Outcome(
                            Outcome.Status.valueOf(StrictJson.text(node, "status")),
                            number(node, "accuracy"),
                            StrictJson.whole(node, "bytes"),
                            number(node, "milliseconds"),
                            number(node, "seconds"),
                            StrictJson.text(node, "reason"));
            QuantSpec spec = QuantSpec.fromJson(StrictJson.child(node, "spec").toString());
            return new SearchResult(spec, outcome, network(spec));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    results.file()
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
        // What was not measured is null.
        return StrictJson.child(node, key).isNull() ? Double.NaN : StrictJson.number(node, key);
    }

    private Optional<Path> network(QuantSpec spec) {
        Path file = networkFile(spec);
        return Files.exists(file) ? Optional.of(file) : Optional.empty();
    }

    private Path networkFile(QuantSpec spec) {
        return networks.resolve(name(spec) + ".zip");
    }

    private static String name(QuantSpec spec) {
        return Checksum.sha256Hex(spec.toJson()).substring(0, NAME_DIGITS);
    }

    /** {@return the result of a candidate, if there is one} */
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
                WholeFile.write(networkFile(spec), finished.network());
            }
            SearchResult result = new SearchResult(spec, finished.outcome(), network(spec));
            results.addToDisk(line(result));
            bySpec.put(spec.toJson(), result);
            return result;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot write to the results folder: " + e.getMessage(), e);
        }
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
        return CheckedLine.seal(JSON.writeValueAsString(node));
    }

    private static void put(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) {
            node.put(key, value);
        } else {
            node.putNull(key);
        }
    }
}
