// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The search itself, with trials that need no network. */
class QuantSpecSearchTest {

    private static final int[] WIDTHS = {2, 4, 8};

    @TempDir private Path folder;

    /** How often each spec was tried, by all trials of one name. */
    private static final Map<String, Map<QuantSpec, Integer>> TRIED = new ConcurrentHashMap<>();

    /** Knows the best widths, and how far others are from them. */
    private record Known(String name) implements Trial {

        @Override
        public Finished run(QuantSpec spec, Limits limits) {
            TRIED.computeIfAbsent(name, key -> new ConcurrentHashMap<>())
                    .merge(spec, 1, Integer::sum);
            int a = bits(spec, 0);
            int b = bits(spec, 1);
            if (a == 2 && b == 2) {
                throw new IllegalStateException("its training diverged: the last loss is NaN");
            }
            long bytes = 100L * (a + b);
            if (bytes > limits.bytes()) {
                return new Finished(
                        new Outcome(
                                Outcome.Status.OVER_LIMIT,
                                Double.NaN,
                                bytes,
                                Double.NaN,
                                0,
                                "too large"),
                        new byte[0]);
            }
            byte[] network = (a + " " + b).getBytes(StandardCharsets.UTF_8);
            double accuracy = a * 0.01 + b * 0.1;
            return new Finished(
                    new Outcome(Outcome.Status.MEASURED, accuracy, bytes, Double.NaN, 0.5, ""),
                    network);
        }

        @Override
        public String description() {
            return name;
        }

        Map<QuantSpec, Integer> tried() {
            return TRIED.getOrDefault(name, Map.of());
        }
    }

    private static int bits(QuantSpec spec, int rule) {
        LayerScheme scheme = spec.rules().get(rule).scheme();
        return IntStream.of(WIDTHS)
                .filter(width -> scheme.equals(LayerScheme.ofBits(width, width)))
                .findFirst()
                .orElseThrow();
    }

    private static QuantSpec spec(int a, int b) {
        return QuantSpec.of(LayerScheme.INT8)
                .with(LayerSelector.named("a"), LayerScheme.ofBits(a, a))
                .with(LayerSelector.named("b"), LayerScheme.ofBits(b, b));
    }

    private static QuantSpecSpace space() {
        return QuantSpecSpace.of(QuantSpec.of(LayerScheme.INT8))
                .with(BitWidthSpace.of(WIDTHS), "a")
                .with(BitWidthSpace.of(WIDTHS), "b");
    }

    private QuantSpecSearch search(Trial trial) {
        return QuantSpecSearch.in(folder, trial).within(Limits.ofBytes(1200)).open();
    }

    @Test
    void aGridFindsTheBestWithinTheLimit() {
        Known trial = new Known("grid");
        QuantSpecSearch search = search(trial);
        search.run(Candidates.grid(space()), 100);
        assertEquals(9, search.results().size());
        SearchResult best = search.best().orElseThrow();
        assertEquals(spec(4, 8), best.spec());
        assertEquals(1200, best.outcome().bytes());
        assertEquals(0.84, best.outcome().accuracy(), 1e-12);
    }

    @Test
    void aFailureIsRecordedAndTheSearchGoesOn() {
        QuantSpecSearch search = search(new Known("failure"));
        search.run(Candidates.grid(space()), 9);
        Map<QuantSpec, Outcome> outcomes =
                search.results().stream()
                        .collect(Collectors.toMap(SearchResult::spec, SearchResult::outcome));
        Outcome failed = outcomes.get(spec(2, 2));
        assertEquals(Outcome.Status.FAILED, failed.status());
        assertEquals("its training diverged: the last loss is NaN", failed.reason());
        assertEquals(Outcome.Status.OVER_LIMIT, outcomes.get(spec(8, 8)).status());
    }

    @Test
    void aSearchGoesOnWhereItStopped() throws IOException {
        Known trial = new Known("resume");
        search(trial).run(Candidates.random(space(), 7), 4);
        int before = trial.tried().size();
        List<SearchResult> kept = search(trial).results();
        assertEquals(before, kept.size());

        QuantSpecSearch again = search(trial);
        again.run(Candidates.random(space(), 7), 40);
        assertEquals(9, again.results().size());
        assertEquals(kept, again.results().subList(0, before));
        assertTrue(trial.tried().values().stream().allMatch(count -> count == 1));

        Path network = again.best().orElseThrow().network().orElseThrow();
        assertEquals("4 8", Files.readString(network));
        assertEquals(search(trial).results(), again.results());
    }

    @Test
    void anUnfinishedLineIsTriedAgain() throws IOException {
        Known trial = new Known("unfinished");
        search(trial).run(Candidates.grid(space()), 9);
        Path file = folder.resolve("results.jsonl");
        String whole = Files.readString(file);
        Files.writeString(file, whole.substring(0, whole.length() - 30));
        QuantSpecSearch again = search(trial);
        assertEquals(8, again.results().size());
        again.run(Candidates.grid(space()), 9);
        assertEquals(9, again.results().size());
        assertEquals(9, search(trial).results().size());
        assertEquals(10, trial.tried().values().stream().mapToInt(count -> count).sum());
    }

    @Test
    void severalThreadsTryEachCandidateOnce() {
        Known trial = new Known("threads");
        QuantSpecSearch search = QuantSpecSearch.in(folder, trial).withThreads(4).open();
        search.run(Candidates.random(space(), 1), 60);
        assertEquals(9, search.results().size());
        assertTrue(trial.tried().values().stream().allMatch(count -> count == 1));
    }

    @Test
    void breedingFindsTheBestOfALargeSpace() {
        Known trial = new Known("genetic");
        QuantSpecSearch search = search(trial);
        search.run(Candidates.genetic(space(), 4, 2), 60);
        assertEquals(spec(4, 8), search.best().orElseThrow().spec());
    }

    @Test
    void resultsFromElsewhereAreKept() {
        Known trial = new Known("elsewhere");
        QuantSpecSearch search = search(trial);
        List<QuantSpec> specs = List.of(spec(2, 4), spec(2, 2), spec(2, 4));
        for (int i = 0; i < 2; i++) {
            search.run(
                    specs,
                    fresh ->
                            fresh.stream()
                                    .map(spec -> QuantSpecSearch.attempt(trial, spec, Limits.NONE))
                                    .toList());
        }
        assertEquals(2, search.results().size());
        assertEquals(Map.of(spec(2, 4), 1, spec(2, 2), 1), trial.tried());
    }

    @Test
    void refusesTheFolderOfAnotherSearch() {
        search(new Known("one"));
        assertEquals(
                folder
                        + " holds results of another search: 'one, Limits[bytes=1200,"
                        + " milliseconds=Infinity]', not 'two, Limits[bytes=1200,"
                        + " milliseconds=Infinity]'; give another folder, or move this one away",
                assertThrows(IllegalStateException.class, () -> search(new Known("two")))
                        .getMessage());
    }

    @Test
    void saysWhichLineOfTheResultsIsDamaged() throws IOException {
        Known trial = new Known("damaged");
        search(trial).run(Candidates.grid(space()), 9);
        Path file = folder.resolve("results.jsonl");
        List<String> lines = Files.readAllLines(file);
        for (String bad : List.of("{\"status\":\"MEASURED\"", "{\"status\":\"DONE\"}", "{}")) {
            lines.set(2, bad);
            Files.write(file, lines);
            String message =
                    assertThrows(IllegalStateException.class, () -> search(trial)).getMessage();
            assertTrue(
                    message.startsWith(
                            file
                                    + ", line 3, is no result of a search: remove the line, and its"
                                    + " candidate is tried again ("),
                    message);
        }
    }

    @Test
    void refusesASearchOfNothing() {
        QuantSpecSearch search = search(new Known("nothing"));
        assertEquals(
                "a search of 0 candidates",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> search.run(Candidates.grid(space()), 0))
                        .getMessage());
        assertEquals(
                "limits of 0 bytes and Infinity ms; both must be above 0",
                assertThrows(IllegalArgumentException.class, () -> Limits.ofBytes(0)).getMessage());
        assertTrue(search.best().isEmpty());
    }
}
