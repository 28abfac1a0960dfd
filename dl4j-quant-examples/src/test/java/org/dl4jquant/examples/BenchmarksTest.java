// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.StrokeDigits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmarks at toy size: that they run and refuse what they should; no figure is judged. */
final class BenchmarksTest {

    @TempDir Path folder;

    @Test
    void accuracyIsComparedOverSeveralSeeds() throws IOException {
        write(StrokeDigits.generate(1, 100), "train");
        write(StrokeDigits.generate(2, 20), "t10k");
        assertEquals(
                0,
                CommandLines.run(
                        new MnistBenchmark(),
                        "--data",
                        folder.toString(),
                        "--seeds",
                        "2",
                        "--epochs",
                        "1"));
    }

    @Test
    void bitWidthsAreComparedOverSeveralSeeds() throws IOException {
        write(StrokeDigits.generate(1, 64), "train");
        write(StrokeDigits.generate(2, 20), "t10k");
        assertEquals(
                0,
                CommandLines.run(
                        new CifarBenchmark(),
                        "--data",
                        folder.toString(),
                        "--seeds",
                        "2",
                        "--epochs",
                        "1",
                        "--channels",
                        "2",
                        "--bits",
                        "8,2"));
    }

    @Test
    void refusesBitsThatThereAreNot() {
        StringWriter errors = new StringWriter();
        assertEquals(
                2,
                CommandLines.run(
                        new CifarBenchmark(),
                        new PrintWriter(errors),
                        "--data",
                        folder.toString(),
                        "--bits",
                        "8,9"));
        assertTrue(
                errors.toString().contains("--bits is 9, but must be 2 to 8"), errors.toString());
    }

    private void write(LabelledImages images, String part) throws IOException {
        try (DataOutputStream out = open(part + "-images-idx3-ubyte")) {
            out.writeInt(0x0803);
            out.writeInt(images.size());
            out.writeInt(images.shape().size(1));
            out.writeInt(images.shape().size(2));
            for (float value : images.batch(0, images.size()).values()) {
                out.writeByte(Math.round(255 * value));
            }
        }
        try (DataOutputStream out = open(part + "-labels-idx1-ubyte")) {
            out.writeInt(0x0801);
            out.writeInt(images.size());
            for (int i = 0; i < images.size(); i++) {
                out.writeByte(images.label(i));
            }
        }
    }

    private DataOutputStream open(String name) throws IOException {
        return new DataOutputStream(Files.newOutputStream(folder.resolve(name)));
    }

    @Test
    void iterationsAreTimedInTwoJvms() {
        assertEquals(
                0, CommandLines.run(new IterationBenchmark(), "--warm-up", "0", "--rounds", "1"));
    }

    @Test
    void latencyIsTimedInTwoJvms() {
        assertEquals(
                0, CommandLines.run(new LatencyBenchmark(), "--warm-up", "0", "--rounds", "1"));
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
        refuses(
                new MnistBenchmark(),
                "mnist-benchmark: Missing required option: '--data=DIR'",
                "--seeds",
                "1");
        refuses(
                new MnistBenchmark(),
                "mnist-benchmark: --seeds is 0, but must be 1 or more",
                "--data",
                folder.toString(),
                "--seeds",
                "0");
    }

    private static void refuses(Callable<Integer> command, String message, String... args) {
        StringWriter err = new StringWriter();
        assertEquals(2, CommandLines.run(command, new PrintWriter(err), args));
        assertEquals(message + " (--help lists the options)", err.toString().strip());
    }
}
