// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.dl4jquant.examples.cli.CommandLines;
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
                        "1,2",
                        "--epochs",
                        "1"));
    }

    @Test
    void studiesOfFewBitsGoOnWhereTheyWereStopped() throws IOException {
        write(StrokeDigits.generate(1, 64), "train");
        write(StrokeDigits.generate(2, 20), "t10k");
        Path out = folder.resolve("out");
        String[] oneSeed = cifar(out, "--seeds", "1", "--study", "bits", "--bits", "8,2");
        assertEquals(0, CommandLines.run(new CifarBenchmark(), oneSeed));
        Map<Path, FileTime> first = times(out);

        assertEquals(
                0,
                CommandLines.run(
                        new CifarBenchmark(), cifar(out, "--seeds", "1,2", "--bits", "8,2")));

        Map<Path, FileTime> second = times(out);
        first.forEach((file, time) -> assertEquals(time, second.get(file), file.toString()));
        for (String name :
                List.of(
                        "float",
                        "W8A8-LSQ",
                        "W2A2-min-max-STE",
                        "W2A2-LSQ-gradients-by-1-sqrt-N-",
                        "W4A4-LSQ-in-stages",
                        "W2A2-LSQ-with-a-teacher")) {
            assertTrue(
                    second.containsKey(out.resolve("seed2-" + name + ".properties")),
                    () -> name + " is not among " + second.keySet());
        }
    }

    private static Map<Path, FileTime> times(Path folder) throws IOException {
        Map<Path, FileTime> times = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                times.put(file, Files.getLastModifiedTime(file));
            }
        }
        return times;
    }

    private String[] cifar(Path out, String... more) {
        List<String> all =
                new ArrayList<>(
                        List.of(
                                "--data",
                                folder.toString(),
                                "--out",
                                out.toString(),
                                "--epochs",
                                "1",
                                "--channels",
                                "2"));
        all.addAll(List.of(more));
        return all.toArray(new String[0]);
    }

    @Test
    void resultsOfAnotherBenchmarkAreRefused() throws IOException {
        write(StrokeDigits.generate(1, 64), "train");
        write(StrokeDigits.generate(2, 20), "t10k");
        Path out = folder.resolve("out");
        Files.createDirectories(out);
        Files.writeString(out.resolve("settings.txt"), "other images");
        refusesWith(
                new CifarBenchmark(),
                "holds networks of another benchmark (other images; now: 64 images",
                cifar(out));
    }

    @Test
    void damagedResultsAreRefusedByName() throws IOException {
        ResultStore networks = ResultStore.in(folder, "any");
        networks.keep(1, "W2A2 LSQ", new VariantResult(0.25, 0.5, 3));
        assertEquals(Optional.of(new VariantResult(0.25, 0.5, 3)), networks.find(1, "W2A2 LSQ"));
        assertEquals(Optional.empty(), networks.find(2, "W2A2 LSQ"));
        Path file = folder.resolve("seed1-W2A2-LSQ.properties");
        Files.writeString(file, "accuracy.before=0.25");
        IOException refused = assertThrows(IOException.class, () -> networks.find(1, "W2A2 LSQ"));
        assertEquals(
                file + " is damaged (empty String); delete it to train this network again",
                refused.getMessage());
    }

    @Test
    void theTableOfAStudyHasMeansDeviationsAndTheRecoveredShare() {
        ExperimentTable table =
                new ExperimentTable(
                        List.of(new VariantResult(0.5, 0.6, 0), new VariantResult(0.5, 0.8, 0)));
        table.add("W2A2", List.of(new VariantResult(0.1, 0.5, 0), new VariantResult(0.3, 0.7, 2)));
        assertEquals(
                List.of("W2A2", "20.00 (14.14)", "60.00 (14.14)", "-10.00 (0.00)", "80.00 %", "2"),
                List.of(table.toString().lines().reduce((a, b) -> b).orElseThrow().split(" {2,}")));
    }

    @Test
    void widthsAreSearchedAndTrained() {
        String[] small = {
            "--epochs", "1", "--candidates", "3", "--out", folder.toString(), "--channels", "3"
        };
        assertEquals(CommandLines.OK, toy(small));
        assertTrue(Files.exists(folder.resolve("mobilenet-1").resolve("search.html")));
        String[] other = small.clone();
        other[small.length - 1] = "2";
        assertEquals(CommandLines.WRONG_INPUT, toy(other));
        for (String network : List.of("lenet", "resnet")) {
            String[] plain = {"--epochs", "1", "--network", network};
            assertEquals(CommandLines.OK, toy(plain));
        }
    }

    private static int toy(String... more) {
        List<String> all = new ArrayList<>(List.of("--train", "64", "--test", "20"));
        all.addAll(List.of(more));
        return CommandLines.run(new MixedPrecisionBenchmark(), all.toArray(new String[0]));
    }

    @Test
    void refusesSearchesThatCannotBe() {
        refusesWith(
                new MixedPrecisionBenchmark(),
                "--candidates is 2, but must be 3 or more",
                "--candidates",
                "2");
        refusesWith(
                new MixedPrecisionBenchmark(),
                "--channels is 0, but must be 1 or more",
                "--channels",
                "0");
        refusesWith(
                new MixedPrecisionBenchmark(),
                "--channels is 8, but a lenet has 20",
                "--network",
                "lenet",
                "--channels",
                "8");
    }

    @Test
    void refusesBitsThatThereAreNot() {
        refusesWith(
                new CifarBenchmark(),
                "--bits is 9, but must be 2 to 8",
                cifar(folder, "--bits", "8,9"));
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
    void wrongOptionsAreExplainedInOneLine() {
        refuses(
                new MnistBenchmark(),
                "mnist-benchmark: Missing required option: '--data=DIR'",
                "--seeds",
                "1");
        refuses(
                new MnistBenchmark(),
                "mnist-benchmark: --train is 0, but must be 1 or more",
                "--data",
                folder.toString(),
                "--train",
                "0");
    }

    private static void refusesWith(Callable<Integer> command, String part, String... args) {
        StringWriter err = new StringWriter();
        assertEquals(2, CommandLines.run(command, new PrintWriter(err), args));
        assertTrue(err.toString().contains(part), err.toString());
    }

    private static void refuses(Callable<Integer> command, String message, String... args) {
        StringWriter err = new StringWriter();
        assertEquals(2, CommandLines.run(command, new PrintWriter(err), args));
        assertEquals(message + " (--help lists the options)", err.toString().strip());
    }
}
