// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.dl4jquant.examples.benchmark.MixedPrecisionBenchmark;
import org.dl4jquant.examples.cli.CommandLines;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples at toy size: that they run, and that their engines agree. */
final class ExamplesTest {

    private static int run(Callable<Integer> example, String... more) {
        String[] args = {"--train", "64", "--test", "20"};
        String[] all = Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return CommandLines.run(example, all);
    }

    @Test
    void earlyStoppingFindsTheBestQuantizedNetwork() {
        assertEquals(CommandLines.OK, run(new LeNetMnist(), "--epochs", "1"));
    }

    @Test
    void twoBitsAreTrainedWithAndWithoutATeacher() {
        assertEquals(CommandLines.OK, run(new DistilledTwoBit(), "--epochs", "1"));
    }

    @Test
    void fourBitsAreReachedInStages() {
        assertEquals(CommandLines.OK, run(new ProgressiveInt4(), "--epochs", "3"));
    }

    @Test
    void aResidualNetworkIsTrainedWithFewBits() {
        assertEquals(CommandLines.OK, run(new ResNetCifar(), "--channels", "2", "--epochs", "1"));
    }

    @Test
    void anLstmIsTrainedWithARoundedHiddenState() {
        String[] toy = {"--steps", "6", "--units", "3", "--epochs", "1"};
        assertEquals(CommandLines.OK, run(new LstmSequence(), toy));
        String[] both = Arrays.copyOf(toy, toy.length + 1);
        both[toy.length] = "--bidirectional";
        assertEquals(CommandLines.OK, run(new LstmSequence(), both));
    }

    @Test
    void widthsAreSearchedAndTrained(@TempDir Path folder) {
        String[] small = {
            "--epochs", "1", "--candidates", "3", "--out", folder.toString(), "--channels", "3"
        };
        assertEquals(CommandLines.OK, run(new MixedPrecisionBenchmark(), small));
        assertTrue(Files.exists(folder.resolve("mobilenet-1").resolve("search.html")));
        String[] other = small.clone();
        other[small.length - 1] = "2";
        assertEquals(CommandLines.WRONG_INPUT, run(new MixedPrecisionBenchmark(), other));
        for (String network : List.of("lenet", "resnet")) {
            String[] plain = {"--epochs", "1", "--network", network};
            assertEquals(CommandLines.OK, run(new MixedPrecisionBenchmark(), plain));
        }
    }

    @Test
    void refusesNumbersThatCannotBe() {
        assertEquals(
                CommandLines.WRONG_INPUT,
                CommandLines.run(new MixedPrecisionBenchmark(), "--candidates", "2"));
        assertEquals(
                CommandLines.WRONG_INPUT,
                CommandLines.run(new MixedPrecisionBenchmark(), "--channels", "0"));
        assertEquals(
                CommandLines.WRONG_INPUT,
                CommandLines.run(
                        new MixedPrecisionBenchmark(), "--network", "lenet", "--channels", "8"));
        assertEquals(CommandLines.WRONG_INPUT, CommandLines.run(new LeNetMnist(), "--epochs", "0"));
        assertEquals(
                CommandLines.WRONG_INPUT, CommandLines.run(new DistilledTwoBit(), "--train", "0"));
        assertEquals(CommandLines.WRONG_INPUT, CommandLines.run(new ResNetCifar(), "--bits", "9"));
        assertEquals(
                CommandLines.WRONG_INPUT, CommandLines.run(new LstmSequence(), "--steps", "1"));
    }
}
