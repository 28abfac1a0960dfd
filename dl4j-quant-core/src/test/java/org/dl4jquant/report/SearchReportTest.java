// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.dl4jquant.arbiter.Outcome;
import org.dl4jquant.arbiter.SearchResult;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.search.Sensitivities;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

class SearchReportTest {

    private static final int FRONT_BLUE = 0x0b6bcb;
    private static final int OTHER_GREY = 0x9aa5b1;
    private static final String[] LAYERS = {"conv1", "conv2", "dense1", "output"};

    @TempDir private Path folder;

    private static QuantSpec spec(int... widths) {
        QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
        for (int i = 0; i < widths.length; i++) {
            spec =
                    spec.with(
                            LayerSelector.named(LAYERS[i]),
                            LayerScheme.ofBits(widths[i], widths[i]));
        }
        return spec;
    }

    private static SearchResult measured(
            double accuracy, long bytes, double milliseconds, int... widths) {
        Outcome outcome =
                new Outcome(Outcome.Status.MEASURED, accuracy, bytes, milliseconds, 3, "");
        return new SearchResult(spec(widths), outcome, Optional.empty());
    }

    private static SearchResult without(Outcome.Status status, String reason, int... widths) {
        Outcome outcome = new Outcome(status, Double.NaN, 0, Double.NaN, 1, reason);
        return new SearchResult(spec(widths), outcome, Optional.empty());
    }

    private static SearchReport report() {
        List<SearchResult> results = new ArrayList<>();
        Random random = new Random(4);
        int[] choices = {2, 4, 8};
        for (int i = 0; i < 40; i++) {
            int[] widths = new int[LAYERS.length];
            double harm = 0;
            long bytes = 2000;
            for (int layer = 0; layer < widths.length; layer++) {
                widths[layer] = choices[random.nextInt(choices.length)];
                harm += (8 - widths[layer]) * (layer == 0 ? 0.004 : 0.001);
                bytes += 4000L * widths[layer] * (layer == 2 ? 3 : 1);
            }
            double accuracy = 0.985 - harm + 0.002 * random.nextGaussian();
            results.add(measured(accuracy, bytes, 0.2 + bytes * 1e-6, widths));
        }
        results.add(without(Outcome.Status.FAILED, "its training diverged: </script>", 2, 2, 2, 2));
        results.add(without(Outcome.Status.OVER_LIMIT, "300,000 bytes, and 200,000 are allowed"));
        Map<String, List<Double>> scores = new LinkedHashMap<>();
        for (int i = 0; i < LAYERS.length; i++) {
            scores.put(LAYERS[i], List.of(0.3 / (i + 1), 0.02 / (i + 1), 0.0001 / (i + 1)));
        }
        return SearchReport.of("LeNet <test>", results)
                .withBaseline("float", 0.987)
                .with(new Sensitivities("KL divergence, nats", List.of(2, 4, 8), scores));
    }

    @Test
    void theFrontIsWhatNoOtherBeats() {
        SearchResult small = measured(0.9, 100, 2, 2);
        SearchResult worse = measured(0.89, 150, 3, 4);
        SearchResult same = measured(0.9, 200, 1, 8);
        SearchResult best = measured(0.95, 200, 4, 4, 4);
        SearchReport report =
                SearchReport.of(
                        "x",
                        List.of(
                                best,
                                same,
                                worse,
                                without(Outcome.Status.FAILED, "no", 2, 2),
                                small));
        assertEquals(List.of(small, best), report.frontBySize());
        assertEquals(List.of(same, best), report.frontByTime());
    }

    @Test
    void jsonHasEveryCandidate() throws IOException {
        Path file = folder.resolve("search.json");
        report().writeJson(file);
        JsonNode root = new ObjectMapper().readTree(file.toFile());
        assertEquals(42, root.get("candidates").size());
        JsonNode first = root.get("candidates").get(0);
        assertTrue(first.get("widths").get("conv1").asText().matches("w[248] a[248]"));
        assertEquals("w8 a8", first.get("widths").get("all others").asText());
        assertTrue(first.get("accuracy").asDouble() > 0.9);
        JsonNode failed = root.get("candidates").get(40);
        assertTrue(failed.get("accuracy").isNull());
        assertEquals("its training diverged: </script>", failed.get("reason").asText());
        assertEquals(
                0.15,
                root.get("heatMaps").get(0).get("rows").get(1).get("scores").get(0).asDouble());
        assertEquals(0.987, root.get("baselines").get("float").asDouble());
    }

    @Test
    void thePageNamesNoAddressToLoad() throws IOException {
        Path file = folder.resolve("search.html");
        report().writeHtml(file);
        String page = Files.readString(file);
        assertTrue(page.contains("<title>LeNet &lt;test&gt;</title>"));
        assertFalse(page.matches("(?s).*(src|href)=\"(?!data:).*"));
        assertFalse(page.contains("diverged: </script>"));
    }

    @Test
    void aBrowserShowsChartsWidthsAndHeat() throws IOException, InterruptedException {
        Path file = folder.resolve("search.html");
        report().writeHtml(file);
        String chromium = chromium();
        String page = browse(chromium, "--dump-dom", file.toUri() + "#3");
        assertTrue(page.contains("data-charts=\"2\""), page);
        assertTrue(page.matches("(?s).*data-shown=\"[^\"]*conv1: w[248] a[248].*"));
        assertTrue(page.contains("40 candidates trained and measured, 1 over a limit, 1 failed."));
        assertEquals(43, page.split("<tr", -1).length - 1 - 5);

        Path screenshot = folder.resolve("search.png");
        browse(chromium, "--screenshot=" + screenshot, file.toUri().toString());
        BufferedImage image = ImageIO.read(screenshot.toFile());
        assertTrue(pixels(image, FRONT_BLUE) > 200, "points and line of the front");
        assertTrue(pixels(image, OTHER_GREY) > 200, "other points");
    }

    private static String chromium() {
        for (String name : List.of("chromium", "chromium-browser", "google-chrome")) {
            for (String directory : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
                if (Files.isExecutable(Path.of(directory, name))) {
                    return Path.of(directory, name).toString();
                }
            }
        }
        assumeTrue(false, "not run: there is no chromium on the PATH to show the page with");
        return "";
    }

    private String browse(String chromium, String what, String page)
            throws IOException, InterruptedException {
        Path output = folder.resolve("output.txt");
        Process process =
                new ProcessBuilder(
                                chromium,
                                "--headless",
                                "--no-sandbox",
                                "--disable-gpu",
                                "--disable-quic",
                                "--no-first-run",
                                "--disable-background-networking",
                                "--disable-component-update",
                                "--disable-sync",
                                "--user-data-dir=" + folder.resolve("profile"),
                                "--window-size=1200,1100",
                                "--virtual-time-budget=3000",
                                what,
                                page)
                        .redirectOutput(output.toFile())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the browser does not end");
        return Files.readString(output);
    }

    private static long pixels(BufferedImage image, int color) {
        long count = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                count += (image.getRGB(x, y) & 0xffffff) == color ? 1 : 0;
            }
        }
        return count;
    }

    @Test
    void aReportOfNothingIsAPageToo() throws IOException {
        Path file = folder.resolve("empty.html");
        SearchReport.of("nothing", List.of()).writeHtml(file);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
        assertTrue(Files.size(file) > 100_000);
    }
}
