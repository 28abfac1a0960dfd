// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.dl4jquant.examples.data.DataFolder;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.numeric.CodeRange;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** What the user of the quickstart can choose. */
final class QuickstartOptions {

    private static final int DRAWN_TO_TRAIN = 5000;
    private static final int DRAWN_TO_TEST = 1000;
    private static final int LEAST_BITS = 2;

    @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    @CommandLine.Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "target/quickstart",
            description = "where the files go (default: ${DEFAULT-VALUE})")
    private Path out = Path.of("");

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
                "train with N pictures at most",
                "(default: all of --data; " + DRAWN_TO_TRAIN + " if digits are drawn)"
            })
    private @Nullable Integer train;

    @CommandLine.Option(
            names = "--test",
            paramLabel = "N",
            description = {
                "test with N pictures at most",
                "(default: all of --data; " + DRAWN_TO_TEST + " if digits are drawn)"
            })
    private @Nullable Integer test;

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "3",
            description =
                    "epochs in float; half as many with quantization (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Option(
            names = "--bits",
            paramLabel = "N",
            defaultValue = "8",
            description = {
                "bits of weights and activations, 2 to 8 (default: ${DEFAULT-VALUE});",
                "the first and the last layer always have 8"
            })
    private int bits;

    @CommandLine.Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "decides over digits, weights and orders (default: ${DEFAULT-VALUE})")
    private long seed;

    Path out() {
        return out;
    }

    int epochs() {
        return epochs;
    }

    int bits() {
        return bits;
    }

    long seed() {
        return seed;
    }

    /** Refuses numbers that cannot be, with picocli's exception. */
    void validate() {
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--bits", bits, LEAST_BITS, CodeRange.MAX_BITS);
        CommandLines.require(command, "--train", orElse(train, 1), 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--test", orElse(test, 1), 1, CommandLines.NO_LIMIT);
    }

    /** Reads the user's pictures, or draws digits. */
    TrainTest load() throws IOException {
        if (data == null) {
            return StrokeDigits.split(
                    seed, orElse(train, DRAWN_TO_TRAIN), orElse(test, DRAWN_TO_TEST));
        }
        return DataFolder.load(data)
                .first(orElse(train, CommandLines.NO_LIMIT), orElse(test, CommandLines.NO_LIMIT));
    }

    private static int orElse(@Nullable Integer chosen, int otherwise) {
        return Optional.ofNullable(chosen).orElse(otherwise);
    }
}
