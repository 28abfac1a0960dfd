// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.dl4jquant.examples.cli.CommandLines;
import org.junit.jupiter.api.Test;

/** The benchmarks of speed at toy size: that they run and refuse what they should. */
final class SpeedBenchmarksTest {

    @Test
    void theAllocationOfBitsIsTimed() {
        assertEquals(
                0,
                CommandLines.run(
                        new AllocationBenchmark(), "--layers", "8", "--networks", "2", "--tied"));
    }

    @Test
    void iterationsAreTimedInTwoJvms() {
        assertEquals(
                0, CommandLines.run(new IterationBenchmark(), "--warm-up", "0", "--rounds", "1"));
    }

    @Test
    void memoryIsMeasuredInJvmsOfTheirOwn() {
        assumeTrue(
                Files.isReadable(Path.of("/proc/self/status")),
                "peak memory is read from /proc/self/status, which is not here");
        assertEquals(
                0,
                CommandLines.run(new MemoryBenchmark(), "--network", "lenet", "--iterations", "1"));
    }

    @Test
    void latencyIsTimedInTwoJvms() {
        assertEquals(
                0, CommandLines.run(new LatencyBenchmark(), "--warm-up", "0", "--rounds", "1"));
    }

    @Test
    void latencyOfOtherNetworksIsTimed() {
        assertEquals(
                0,
                CommandLines.run(
                        new NetworkLatencyBenchmark(),
                        "--networks=MOBILENET,CONVOLUTION_1D",
                        "--batches=1",
                        "--warm-up=0",
                        "--rounds=1"));
    }

    @Test
    void theSecondJvmTakesItsOwnTime() throws IOException {
        try (StockDl4j stock = StockDl4j.start()) {
            assertTrue(stock.nanos(FloatTask.ONE).getAsLong() > 0);
            assertTrue(stock.nanos(FloatTask.BATCH).getAsLong() > 0);
        }
    }

    @Test
    void wrongOptionsAreExplainedInOneLine() {
        refuses(
                new IterationBenchmark(),
                "iteration-benchmark: --rounds is 0, but must be 1 or more",
                "--rounds",
                "0");
        refuses(
                new LatencyBenchmark(),
                "latency-benchmark: --warm-up is -1, but must be 0 or more",
                "--warm-up",
                "-1");
    }

    private static void refuses(Callable<Integer> command, String message, String... args) {
        StringWriter err = new StringWriter();
        assertEquals(2, CommandLines.run(command, new PrintWriter(err), args));
        assertEquals(message + " (--help lists the options)", err.toString().strip());
    }
}
