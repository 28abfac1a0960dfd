// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.files.LineLog;
import org.dl4jquant.files.WholeFile;

/**
 * What was found on a GPU, in files that every part of a trial adds to: each in a process of its
 * own, so that a fault on the GPU stops no other, and what was found before is kept.
 */
final class Findings {

    private static final String SUMMARY = "summary.txt";
    private static final String FIGURES = "figures.tsv";
    private static final String LAYERS = "layers.tsv";
    private static final String TACTICS = "tactics.jsonl";

    private final Path folder;
    private final PrintStream print;

    private Findings(Path folder, PrintStream print) {
        this.folder = folder;
        this.print = print;
    }

    /**
     * Begins a trial; what was found in an earlier one is removed.
     *
     * @param folder where to
     * @param print where the summary goes, too
     */
    static Findings begin(Path folder, PrintStream print) throws IOException {
        Files.createDirectories(folder);
        Files.deleteIfExists(folder.resolve(SUMMARY));
        WholeFile.write(folder.resolve(FIGURES), Figure.HEAD + "\n");
        WholeFile.write(folder.resolve(LAYERS), LayerTable.HEAD + "\n");
        return new Findings(folder, print);
    }

    /**
     * {@return what was found, to be added to}
     *
     * @param folder as for {@link #begin}
     * @param print as for {@link #begin}
     */
    static Findings more(Path folder, PrintStream print) throws IOException {
        return Files.exists(folder.resolve(FIGURES))
                ? new Findings(folder, print)
                : begin(folder, print);
    }

    /** Adds lines to the summary. */
    void say(String text) {
        print.println(text);
        add(SUMMARY, text.lines().toList());
    }

    /** Adds times. */
    void add(List<Figure> figures) {
        add(FIGURES, figures.stream().map(Figure::line).toList());
    }

    /** Adds lines of {@link LayerTable}. */
    void addLayers(List<String> lines) {
        add(LAYERS, lines);
    }

    /** {@return times of kernels, by which they are chosen; those of earlier trials hold} */
    TacticCache tactics() throws IOException {
        return TacticCache.of(folder.resolve(TACTICS));
    }

    /** {@return all times that were added} */
    List<Figure> figures() throws IOException {
        return Figure.read(folder.resolve(FIGURES));
    }

    private void add(String file, List<String> lines) {
        try {
            LineLog.beginningWith(folder.resolve(file), "findings of a trial", "").add(lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
