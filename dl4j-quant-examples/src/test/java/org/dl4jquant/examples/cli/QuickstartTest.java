// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.onnx.OnnxReader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/** The quickstart at toy size: too small to learn much, large enough for every step. */
final class QuickstartTest {

    private static final int TEST_IMAGES = 40;

    @TempDir static Path folder;

    private static int exitCode;
    private static JsonNode report;

    @BeforeAll
    static void runOnce() throws IOException {
        exitCode =
                Quickstart.run(
                        "--out", folder.resolve("new/folder").toString(),
                        "--train", "160",
                        "--test", String.valueOf(TEST_IMAGES),
                        "--epochs", "2",
                        "--bits", "4",
                        "--seed", "3");
        report = new ObjectMapper().readTree(file("report.json"));
    }

    private static File file(String name) {
        return folder.resolve("new/folder").resolve(name).toFile();
    }

    @Test
    void theEnginesAgreeInEveryCode() {
        assertEquals(0, exitCode);
        assertEquals(0, report.at("/engines/differingCodes").asLong(-1));
        assertTrue(report.at("/engines/codes").asLong() > 0);
    }

    @Test
    void theNetworkAgreesWithTheEngine() {
        assertEquals(0, report.at("/simulator/top1Changed").asLong(-1));
        assertEquals(TEST_IMAGES, report.at("/simulator/examples").asLong());
        double differing = report.at("/simulator/differingCodes").asLong(-1);
        assertTrue(differing >= 0 && differing / report.at("/simulator/codes").asLong() < 1e-4);
        assertEquals(
                report.at("/accuracy/qat").asDouble(), report.at("/accuracy/engine").asDouble());
    }

    @Test
    void theReportHasEveryFigure() throws IOException {
        for (String accuracy : new String[] {"float", "ptq", "qat", "engine"}) {
            double share = report.at("/accuracy/" + accuracy).asDouble(-1);
            assertTrue(share >= 0 && share <= 1, accuracy + " " + share);
        }
        assertEquals(file("quantized.onnx").length(), report.at("/bytes/integer").asLong());
        long parameters = network("float.zip").numParams();
        long overhead = report.at("/bytes/float").asLong() - parameters * Float.BYTES;
        assertTrue(overhead >= 0 && overhead < 1000, "beside the parameters: " + overhead);
        for (String latency :
                new String[] {
                    "one/floatMillis",
                    "one/integerMillis",
                    "batch32/floatMillis",
                    "batch32/integerMillis"
                }) {
            assertTrue(report.at("/latency/" + latency).asDouble() > 0, latency);
        }
        assertEquals(4, report.at("/options/bits").asInt());
        assertEquals(2, report.at("/options/epochs").asInt());
        assertEquals(3, report.at("/options/seed").asLong());
    }

    @Test
    void theModelFileHoldsWhatTheOnnxFileHolds() throws IOException {
        assertEquals(
                Quantization.lower(network("quantized.zip")),
                OnnxReader.read(file("quantized.onnx").toPath()));
    }

    @Test
    void theModelFileResumes() throws IOException {
        MultiLayerNetwork network = network("quantized.zip");
        assertTrue(network.getIterationCount() > 0);
        INDArray before = network.params().dup();
        LabelledImages digits = StrokeDigits.generate(9, 64);
        network.fit(digits.inOrder(64));
        assertNotEquals(before, network.params());
        assertTrue(network.params().sumNumber().doubleValue() < Double.POSITIVE_INFINITY);
    }

    private static MultiLayerNetwork network(String name) throws IOException {
        return ModelSerializer.restoreMultiLayerNetwork(file(name), true);
    }

    @Test
    void wrongOptionsAreExplainedInOneLine() {
        refuses("--epochs is 0, but must be 1 or more", "--epochs", "0");
        refuses("--bits is 1, but must be 2 to 8", "--bits", "1");
        refuses("--bits is 9, but must be 2 to 8", "--bits", "9");
        refuses("--train is -1, but must be 1 or more", "--train", "-1");
        refuses("--test is 0, but must be 1 or more", "--test", "0");
        refuses("Invalid value for option '--seed': 'x' is not a long", "--seed", "x");
        refuses("Unknown option: '--speed'", "--speed");
    }

    @Test
    void wrongFoldersAreExplainedInOneLine() throws IOException {
        Path nowhere = folder.resolve("nowhere");
        refuses(
                nowhere + ": there is no such folder; name one that holds images",
                "--data",
                nowhere.toString());
        Path taken = Files.writeString(folder.resolve("taken"), "a file");
        refuses(taken + ": there is a file of this name; name a folder", "--out", taken.toString());
    }

    private static void refuses(String message, String... args) {
        StringWriter err = new StringWriter();
        assertEquals(2, CommandLines.run(new Quickstart(), new PrintWriter(err), withOut(args)));
        assertEquals(
                "quickstart: " + message + " (--help lists the options)", err.toString().strip());
    }

    private static String[] withOut(String... args) {
        if (String.join(" ", args).contains("--out")) {
            return args;
        }
        String[] more = Arrays.copyOf(args, args.length + 2);
        more[args.length] = "--out";
        more[args.length + 1] = folder.resolve("refused").toString();
        return more;
    }
}
