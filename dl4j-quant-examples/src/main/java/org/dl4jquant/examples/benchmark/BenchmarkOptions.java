// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.data.DataFolder;
import org.dl4jquant.examples.data.TrainTest;
import picocli.CommandLine;

/** Which images a benchmark of accuracy trains and tests with, and how many seeds it has. */
final class BenchmarkOptions {

    @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    @CommandLine.Option(
            names = "--data",
            paramLabel = "DIR",
            required = true,
            description = "images in train/<class>/ and test/<class>/, or MNIST's own files")
    private Path data = Path.of("");

    @CommandLine.Option(
            names = "--seeds",
            paramLabel = "N",
            split = ",",
            defaultValue = "1,2,3",
            description = "a network each (default: ${DEFAULT-VALUE})")
    private List<Long> seeds = List.of();

    @CommandLine.Option(
            names = "--train",
            paramLabel = "N",
            defaultValue = "2147483647",
            description = "train with N images at most (default: all)")
    private int train;

    @CommandLine.Option(
            names = "--test",
            paramLabel = "N",
            defaultValue = "2147483647",
            description = "test with N images at most (default: all)")
    private int test;

    List<Long> seeds() {
        return List.copyOf(seeds);
    }

    /** Refuses numbers that cannot be, with picocli's exception. */
    void validate() {
        CommandLines.require(command, "--train", train, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--test", test, 1, CommandLines.NO_LIMIT);
    }

    /** Reads the images. */
    TrainTest load() throws IOException {
        return DataFolder.load(data).first(train, test);
    }
}
