// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.numeric.CodeRange;
import picocli.CommandLine;

/** The options of the quickstart. */
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

    @CommandLine.Mixin
    private ImageOptions images = new ImageOptions(DRAWN_TO_TRAIN, DRAWN_TO_TEST);

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
        return images.seed();
    }

    /** Refuses numbers that cannot be, with picocli's exception. */
    void validate() {
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--bits", bits, LEAST_BITS, CodeRange.MAX_BITS);
        images.validate();
    }

    /** Reads the user's images, or draws digits. */
    TrainTest load() throws IOException {
        return images.load();
    }
}
