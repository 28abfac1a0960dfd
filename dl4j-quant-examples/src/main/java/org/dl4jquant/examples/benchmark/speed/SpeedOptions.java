// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import org.dl4jquant.examples.cli.CommandLines;
import picocli.CommandLine;

/** The numbers of rounds of the speed benchmarks. */
final class SpeedOptions {

    @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    @CommandLine.Option(
            names = "--warm-up",
            paramLabel = "N",
            defaultValue = "20",
            description = "rounds that do not count (default: ${DEFAULT-VALUE})")
    private int warmUp;

    @CommandLine.Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "100",
            description = "rounds that count (default: ${DEFAULT-VALUE})")
    private int rounds;

    int warmUp() {
        return warmUp;
    }

    int rounds() {
        return rounds;
    }

    /** Refuses numbers that cannot be, with picocli's exception. */
    void validate() {
        CommandLines.require(command, "--warm-up", warmUp, 0, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--rounds", rounds, 1, CommandLines.NO_LIMIT);
    }
}
