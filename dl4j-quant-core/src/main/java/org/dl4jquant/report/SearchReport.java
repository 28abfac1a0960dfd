// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.arbiter.Outcome;
import org.dl4jquant.arbiter.SearchResult;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.StrictJson;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.search.Sensitivities;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ArrayNode;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/**
 * What a search over bit-widths found, as JSON and as one HTML file that needs no network: accuracy
 * against bytes and against time with the front of both, the widths of each candidate, and how
 * sensitive each layer is to each width.
 *
 * <pre>{@code
 * SearchReport.of("LeNet", search.results()).writeHtml(Path.of("search.html"));
 * }</pre>
 */
public final class SearchReport {

    private static final ObjectMapper JSON = StrictJson.mapper();

    /* The name of the library's own file; its license comment comes with it. */
    private static final String CHARTS =
            "/META-INF/resources/webjars/chart.js/4.5.1/dist/chart.umd.min.js";

    private final String title;
    private final List<SearchResult> results;
    private final List<Sensitivities> heatMaps;
    private final Map<String, Double> baselines;

    private SearchReport(
            String title,
            List<SearchResult> results,
            List<Sensitivities> heatMaps,
            Map<String, Double> baselines) {
        this.title = title;
        this.results = List.copyOf(results);
        this.heatMaps = List.copyOf(heatMaps);
        this.baselines = baselines;
    }

    /**
     * {@return the report of a search}
     *
     * @param title the name of the searched network
     * @param results its results, such as {@code QuantSpecSearch.results()}
     */
    public static SearchReport of(String title, List<SearchResult> results) {
        Require.given(title, "title");
        Require.given(results, "results");
        return new SearchReport(title, results, List.of(), Map.of());
    }

    /**
     * {@return this report with one more heat map}
     *
     * @param heat sensitivities by layer and width
     */
    public SearchReport with(Sensitivities heat) {
        List<Sensitivities> more = new ArrayList<>(heatMaps);
        more.add(heat);
        return new SearchReport(title, results, more, baselines);
    }

    /**
     * {@return this report with a line at an accuracy to compare with, such as that in float}
     *
     * @param name the owner of the accuracy
     * @param accuracy 0 to 1
     */
    public SearchReport withBaseline(String name, double accuracy) {
        Map<String, Double> more = new LinkedHashMap<>(baselines);
        more.put(name, accuracy);
        return new SearchReport(title, results, heatMaps, more);
    }

    /**
     * {@return the candidates that no other beats: none is as small and more accurate, or smaller
     * and as accurate}
     */
    public List<SearchResult> frontBySize() {
        return front(result -> result.outcome().bytes());
    }

    /** {@return the same by time; empty if no time was measured} */
    public List<SearchResult> frontByTime() {
        return front(result -> result.outcome().milliseconds());
    }

    private List<SearchResult> front(ToDoubleFunction<SearchResult> cost) {
        List<SearchResult> cheapestFirst = new ArrayList<>();
        for (SearchResult result : results) {
            if (isMeasured(result) && !Double.isNaN(cost.applyAsDouble(result))) {
                cheapestFirst.add(result);
            }
        }
        cheapestFirst.sort(
                (a, b) -> {
                    int byCost = Double.compare(cost.applyAsDouble(a), cost.applyAsDouble(b));
                    return byCost != 0
                            ? byCost
                            : Double.compare(b.outcome().accuracy(), a.outcome().accuracy());
                });
        List<SearchResult> front = new ArrayList<>();
        double best = Double.NEGATIVE_INFINITY;
        for (SearchResult result : cheapestFirst) {
            if (result.outcome().accuracy() > best) {
                front.add(result);
                best = result.outcome().accuracy();
            }
        }
        return front;
    }

    private static boolean isMeasured(SearchResult result) {
        return result.outcome().status() == Outcome.Status.MEASURED;
    }

    /**
     * {@return the report as JSON: {@code title}, {@code baselines}, {@code candidates} with their
     * widths, status, accuracy, bytes, milliseconds, and whether they are on a front, and {@code
     * heatMaps}}
     */
    public String toJson() {
        ObjectNode root = JSON.createObjectNode().put("title", title);
        ObjectNode lines = root.putObject("baselines");
        baselines.forEach(lines::put);
        List<SearchResult> bySize = frontBySize();
        List<SearchResult> byTime = frontByTime();
        ArrayNode candidates = root.putArray("candidates");
        for (SearchResult result : results) {
            Outcome outcome = result.outcome();
            ObjectNode node = candidates.addObject();
            ObjectNode widths = node.putObject("widths");
            widths(result.spec()).forEach(widths::put);
            node.put("status", outcome.status().name()).put("reason", outcome.reason());
            put(node, "accuracy", outcome.accuracy());
            node.put("bytes", outcome.bytes());
            put(node, "milliseconds", outcome.milliseconds());
            put(node, "seconds", outcome.seconds());
            node.put("frontBySize", bySize.contains(result));
            node.put("frontByTime", byTime.contains(result));
        }
        ArrayNode maps = root.putArray("heatMaps");
        heatMaps.forEach(heat -> write(heat, maps.addObject()));
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the report as JSON", e);
        }
    }

    private static void put(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) {
            node.put(key, value);
        } else {
            node.putNull(key);
        }
    }

    private static void write(Sensitivities heat, ObjectNode node) {
        node.put("measure", heat.measure());
        ArrayNode widths = node.putArray("widths");
        heat.widths().forEach(widths::add);
        ArrayNode rows = node.putArray("rows");
        heat.scores()
                .forEach(
                        (layer, scores) -> {
                            ArrayNode values =
                                    rows.addObject().put("layer", layer).putArray("scores");
                            scores.forEach(values::add);
                        });
    }

    /* Layers by name, or what else selects them, with the widths of weights and activations. */
    private static Map<String, String> widths(QuantSpec spec) {
        Map<String, String> widths = new LinkedHashMap<>();
        for (QuantSpec.Rule rule : spec.rules()) {
            String layers =
                    rule.layers() instanceof LayerSelector.Named named
                            ? named.name()
                            : rule.layers().toString();
            widths.put(layers, rule.scheme().widths());
        }
        widths.put(widths.isEmpty() ? "all layers" : "all others", spec.otherwise().widths());
        return widths;
    }

    /**
     * Writes the report as JSON.
     *
     * @param file the file; an older one is replaced
     * @throws IOException if it cannot be written
     */
    public void writeJson(Path file) throws IOException {
        WholeFile.write(file, toJson() + "\n");
    }

    /**
     * Writes the report as one HTML file.
     *
     * @param file the file; an older one is replaced
     * @throws IOException if it cannot be written
     */
    public void writeHtml(Path file) throws IOException {
        // In a script element only "</" would end the data.
        String data = toJson().replace("<", "\\u003c");
        WholeFile.write(
                file,
                resource("/org/dl4jquant/report/search.html")
                        .replace("<!-- title -->", escaped(title))
                        .replace("/* data */", data)
                        .replace("/* charts */", resource(CHARTS)));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = SearchReport.class.getResourceAsStream(name)) {
            Require.state(in != null, "the class path lacks %s", name);
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
