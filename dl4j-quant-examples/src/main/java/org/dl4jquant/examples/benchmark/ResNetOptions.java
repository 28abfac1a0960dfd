// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import org.dl4jquant.examples.cli.CommandLines;
import picocli.CommandLine;

/** How large a ResNet is and how long it trains. */
final class ResNetOptions {

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "8",
            description =
                    "epochs in float; half as many with quantization (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Option(
            names = "--channels",
            paramLabel = "N",
            defaultValue = "16",
            description = "channels of the first block (default: ${DEFAULT-VALUE})")
    private int channels;

    @CommandLine.Option(
            names = "--stem-stride",
            paramLabel = "N",
            defaultValue = "1",
            description = {
                "stride of the first convolution: 2 makes everything after it four times as fast",
                "(default: ${DEFAULT-VALUE})"
            })
    private int stemStride;

    int epochs() {
        return epochs;
    }

    int channels() {
        return channels;
    }

    int stemStride() {
        return stemStride;
    }

    /** Refuses numbers that cannot be, with picocli's exception. */
    void validate(CommandLine.Model.CommandSpec command) {
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--channels", channels, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--stem-stride", stemStride, 1, 2);
    }
}
