// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.dl4jquant.examples.data.DataFolder;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** Which images an example trains and tests with, and from which seed. */
public final class ImageOptions {

    private static final int DRAWN_TO_TRAIN = 2000;
    private static final int DRAWN_TO_TEST = 500;

    private final int drawnToTrain;
    private final int drawnToTest;

    @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    @CommandLine.Option(
            names = "--data",
            paramLabel = "DIR",
            description = {
                "MNIST's own files, plain or gzipped, or images in",
                "train/<class>/ and test/<class>/; without it, digits are drawn"
            })
    private @Nullable Path data;

    @CommandLine.Option(
            names = "--train",
            paramLabel = "N",
            description = {
                "train with N images at most",
                "(default: all of --data, or some thousand digits)"
            })
    private @Nullable Integer train;

    @CommandLine.Option(
            names = "--test",
            paramLabel = "N",
            description = {
                "test with N images at most",
                "(default: all of --data, or some hundred digits)"
            })
    private @Nullable Integer test;

    @CommandLine.Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "decides over digits, weights and orders (default: ${DEFAULT-VALUE})")
    private long seed;

    /** As many digits as an example needs that trains twice or more. */
    public ImageOptions() {
        this(DRAWN_TO_TRAIN, DRAWN_TO_TEST);
    }

    /**
     * Sets how many digits are drawn where the user names neither images nor a number.
     *
     * @param drawnToTrain to train with
     * @param drawnToTest to test with
     */
    public ImageOptions(int drawnToTrain, int drawnToTest) {
        this.drawnToTrain = drawnToTrain;
        this.drawnToTest = drawnToTest;
    }

    /** {@return the seed of drawn digits, weights and the order of images} */
    public long seed() {
        return seed;
    }

    /** Refuses numbers that cannot be, with picocli's exception. */
    public void validate() {
        CommandLines.require(command, "--train", orElse(train, 1), 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--test", orElse(test, 1), 1, CommandLines.NO_LIMIT);
    }

    /** Reads the user's images, or draws digits. */
    public TrainTest load() throws IOException {
        Path folder = data;
        if (folder == null) {
            return StrokeDigits.split(seed, orElse(train, drawnToTrain), orElse(test, drawnToTest));
        }
        return DataFolder.load(folder)
                .first(orElse(train, CommandLines.NO_LIMIT), orElse(test, CommandLines.NO_LIMIT));
    }

    private static int orElse(@Nullable Integer chosen, int otherwise) {
        return Optional.ofNullable(chosen).orElse(otherwise);
    }
}
