// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dl4jquant.files.CheckedLine;
import org.dl4jquant.files.Mutations;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultStoreTest {

    @TempDir private Path folder;

    private static QuantSpec spec(int width) {
        return QuantSpec.of(LayerScheme.INT8)
                .with(LayerSelector.named("schicht ü"), LayerScheme.ofBits(width, 8));
    }

    private ResultStore written() {
        ResultStore written = ResultStore.open(folder, "a search,\nin two lines");
        for (int width = 2; width <= 8; width++) {
            Outcome outcome =
                    width == 3
                            ? Outcome.failed("no \"reason\"", 0.25)
                            : new Outcome(
                                    Outcome.Status.MEASURED,
                                    0.1 * width,
                                    1L << 40 | width,
                                    width == 4 ? Double.NaN : 1.0 / width,
                                    2.5,
                                    "");
            written.add(spec(width), new Trial.Finished(outcome, new byte[] {(byte) width}));
        }
        return written;
    }

    private ResultStore opened() {
        return ResultStore.open(folder, "a search,\nin two lines");
    }

    @Test
    void resultsAreReadBack() {
        assertEquals(written().all(), opened().all());
    }

    @Test
    void noDamageOfTheResultsGoesUnseen() throws IOException {
        survives(Mutations.FEW, "results.jsonl");
        survives(Mutations.FEW / 4, "search.txt");
    }

    @Test
    @Tag("thorough")
    void noDamageOfManyOfTheResultsGoesUnseen() throws IOException {
        survives(Mutations.MANY, "results.jsonl");
        survives(Mutations.MANY, "search.txt");
    }

    private void survives(int count, String name) throws IOException {
        Set<SearchResult> all = new HashSet<>(written().all());
        Path file = folder.resolve(name);
        byte[] whole = Files.readAllBytes(file);
        Mutations.survive(
                whole,
                count,
                bytes -> {
                    Files.write(file, bytes);
                    List<SearchResult> found = opened().all();
                    return all.containsAll(found) ? "" : found.toString();
                });
        Files.write(file, whole);
    }

    /* As git or an archive of the other platform leaves it. */
    @Test
    void aFolderWithTheLineEndsOfWindowsMeansTheSame() throws IOException {
        List<SearchResult> all = written().all();
        for (String name : List.of("results.jsonl", "search.txt")) {
            Path file = folder.resolve(name);
            Files.writeString(file, Files.readString(file).replace("\n", "\r\n"));
        }
        assertEquals(all, opened().all());
        assertTrue(opened().all().stream().allMatch(each -> each.network().isPresent()));
        opened().add(spec(5), new Trial.Finished(Outcome.failed("again", 1), new byte[0]));
        assertEquals(7, opened().all().size());
    }

    @Test
    void jsonIsReadAsItStands() throws IOException {
        written();
        Path file = folder.resolve("results.jsonl");
        String line = CheckedLine.open(Files.readAllLines(file).get(0));
        assertTrue(line.contains("\"bytes\":1099511627778,"), line);
        for (String[] change :
                new String[][] {
                    {"\"bytes\":1099511627778", "\"bytes\":7.9"},
                    {"\"bytes\":1099511627778", "\"bytes\":\"4\""},
                    {"\"bytes\":1099511627778", "\"bytes\":null"},
                    {"\"bytes\":1099511627778", "\"bytes\":10995116277780000000000"},
                    {"\"seconds\":2.5", "\"seconds\":\"2.5\""},
                    {"\"seconds\":2.5,", ""},
                    {"\"status\":\"MEASURED\"", "\"status\":0"},
                    {"\"status\":\"MEASURED\"", "\"status\":\"MEASURED\",\"bytes\":1"},
                    {"\"reason\":\"\"", "\"reason\":null"},
                }) {
            assertTrue(line.contains(change[0]), change[0]);
            Files.writeString(file, CheckedLine.seal(line.replace(change[0], change[1])) + "\n");
            String refused = assertThrows(IllegalStateException.class, this::opened).getMessage();
            assertTrue(
                    refused.startsWith(file + ", line 1, is no result of a search: remove"),
                    refused);
        }
    }

    @Test
    void saysWhatToDoWithTheFormerFormat() throws IOException {
        Files.writeString(folder.resolve("search.txt"), "a search,\nin two lines");
        assertEquals(
                folder.resolve("search.txt")
                        + " does not begin with 'dl4j-quant search 2', the version that is read: it"
                        + " is damaged, or of another version; give another folder, or move this"
                        + " one away",
                refusal());
    }

    @Test
    void refusesADescriptionThatIsNoText() throws IOException {
        Files.write(folder.resolve("search.txt"), new byte[] {(byte) 0xff});
        assertTrue(refusal().startsWith(folder.resolve("search.txt") + " does not begin with"));
    }

    @Test
    void takesNoResultsForThoseOfASearchThatNothingNames() throws IOException {
        written();
        Files.delete(folder.resolve("search.txt"));
        assertTrue(refusal().startsWith(folder + " holds results, and no search.txt"));
        Files.delete(folder.resolve("results.jsonl"));
        assertEquals(List.of(), opened().all());
    }

    @Test
    void refusesAnotherProgramsResults() throws IOException {
        Files.writeString(folder.resolve("results.jsonl"), "a log\n");
        assertTrue(refusal().contains("results.jsonl holds something else than results"));
        assertEquals("a log\n", Files.readString(folder.resolve("results.jsonl")));
    }

    @Test
    void namesAFileThatCannotBeUsed() throws IOException {
        Files.createDirectory(folder.resolve("search.txt"));
        UncheckedIOException refused = assertThrows(UncheckedIOException.class, this::opened);
        assertTrue(refused.getMessage().startsWith("cannot use the results folder " + folder));
        assertFalse(refused.getMessage().endsWith(folder.toString()), refused.getMessage());
    }

    private String refusal() {
        return assertThrows(IllegalStateException.class, this::opened).getMessage();
    }
}
