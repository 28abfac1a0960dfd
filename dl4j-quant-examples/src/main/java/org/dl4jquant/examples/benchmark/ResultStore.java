// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Supplier;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.train.SafeModels;

/**
 * The finished networks of a long benchmark in a folder, from which an interrupted one resumes: a
 * file of figures for each, and the float networks themselves.
 */
final class ResultStore {

    private static final String SETTINGS = "settings.txt";
    private static final String NAME = "network";

    private final Path folder;

    private ResultStore(Path folder) {
        this.folder = folder;
    }

    /**
     * {@return the networks of a folder, which is made if it is not there}
     *
     * @param folder holds nothing else, or nothing yet
     * @param settings the settings of all networks of the folder
     * @throws IOException if it cannot be made, or its networks are of other settings
     */
    static ResultStore in(Path folder, String settings) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve(SETTINGS);
        if (!Files.exists(file)) {
            WholeFile.write(file, settings);
        }
        String theirs = Files.readString(file);
        if (!theirs.equals(settings)) {
            throw new IOException(
                    "%s holds networks of another benchmark (%s; now: %s); name another folder"
                            .formatted(folder, theirs, settings));
        }
        return new ResultStore(folder);
    }

    /**
     * {@return the figures of a network; empty if it is not finished}
     *
     * @throws IOException if its file cannot be read or is damaged
     */
    Optional<VariantResult> find(long seed, String name) throws IOException {
        Path file = figures(seed, name);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        Properties found = new Properties();
        try (Reader in = Files.newBufferedReader(file)) {
            found.load(in);
        }
        try {
            return Optional.of(VariantResult.from(found));
        } catch (NumberFormatException e) {
            throw new IOException(
                    "%s is damaged (%s); delete it to train this network again"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /** Keeps the figures of a network. */
    void keep(long seed, String name, VariantResult result) throws IOException {
        Properties figures = new Properties();
        figures.setProperty(NAME, name);
        result.addTo(figures);
        Path file = figures(seed, name);
        WholeFile.write(
                file,
                out -> {
                    Writer writer = new OutputStreamWriter(out, StandardCharsets.UTF_8);
                    figures.store(writer, null);
                    writer.flush();
                });
    }

    /**
     * {@return the float network of a seed, which is trained if the folder does not have it}
     *
     * @param seed of the network
     * @param training makes it
     * @throws IOException if it cannot be read or written
     */
    ComputationGraph floatNetwork(long seed, Supplier<ComputationGraph> training)
            throws IOException {
        Path file = folder.resolve("seed%d-float.zip".formatted(seed));
        if (Files.exists(file)) {
            return SafeModels.standard().restoreComputationGraph(file.toFile(), true);
        }
        ComputationGraph trained = training.get();
        WholeFile.write(file, out -> ModelSerializer.writeModel(trained, out, true));
        return trained;
    }

    private Path figures(long seed, String name) {
        return folder.resolve(
                "seed%d-%s.properties".formatted(seed, name.replaceAll("[^A-Za-z0-9]+", "-")));
    }
}
