// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

class StatisticsSinkTest {

    private static final QuantizerStatistics WEIGHT =
            new QuantizerStatistics(300, 2, "conv1", "0", "W", 0.001, 0.25, 0.0125, 31.5, 0.875);
    private static final QuantizerStatistics HALF =
            new QuantizerStatistics(
                    300,
                    2,
                    "out \"x\"",
                    "1",
                    "output",
                    Double.NaN,
                    Double.NaN,
                    0,
                    Double.POSITIVE_INFINITY,
                    Double.NaN);

    private static final String WEIGHT_LINE =
            "{\"iteration\":300,\"epoch\":2,\"layer\":\"conv1\",\"parameters\":\"0\",\"tensor\":\"W\","
                    + "\"smallestScale\":0.001,\"largestScale\":0.25,\"saturation\":0.0125,"
                    + "\"sqnr\":31.5,\"gradientRatio\":0.875}";

    @TempDir private Path folder;

    @Test
    void writesOneObjectALine() throws IOException {
        Path file = folder.resolve("statistics.jsonl");
        try (StatisticsSink sink = StatisticsSink.jsonLines(file)) {
            sink.report(List.of(WEIGHT, HALF));
            // Not only when it is closed: a training may be killed.
            assertEquals(2, Files.readAllLines(file).size());
        }
        List<String> lines = Files.readAllLines(file);
        assertEquals(WEIGHT_LINE, lines.get(0));
        JsonNode half = new ObjectMapper().readTree(lines.get(1));
        assertEquals("out \"x\"", half.get("layer").asText());
        assertTrue(half.get("smallestScale").isNull());
        assertTrue(half.get("sqnr").isNull());
        assertTrue(half.get("gradientRatio").isNull());
        assertEquals(0, half.get("saturation").asDouble());
    }

    @Test
    void goesOnBehindTheLastWholeLine() throws IOException {
        Path file = folder.resolve("killed.jsonl");
        Files.writeString(file, WEIGHT_LINE + "\n" + WEIGHT_LINE.substring(0, 40));
        try (StatisticsSink sink = StatisticsSink.jsonLines(file)) {
            sink.report(List.of(WEIGHT));
        }
        assertEquals(List.of(WEIGHT_LINE, WEIGHT_LINE), Files.readAllLines(file));
    }

    @Test
    void refusesAFileOfSomethingElse() throws IOException {
        Path file = folder.resolve("model.zip");
        Files.writeString(file, "PK");
        assertEquals(
                file
                        + " holds something else than statistics of quantizers, whose lines begin"
                        + " with {\"iteration\":; name another file, or delete it",
                assertThrows(IllegalArgumentException.class, () -> StatisticsSink.jsonLines(file))
                        .getMessage());
        assertEquals("PK", Files.readString(file));
    }

    @Test
    void refusesAFileThatCannotBeWritten() {
        Path file = folder.resolve("absent").resolve("statistics.jsonl");
        assertEquals(
                "the statistics cannot be written to "
                        + file
                        + ": java.nio.file.NoSuchFileException: "
                        + file
                        + "; name a file in a folder that is there and may be written to",
                assertThrows(UncheckedIOException.class, () -> StatisticsSink.jsonLines(file))
                        .getMessage());
    }

    @Test
    void namesTheFileThatWasClosed() {
        Path file = folder.resolve("closed.jsonl");
        StatisticsSink sink = StatisticsSink.jsonLines(file);
        sink.close();
        assertTrue(
                assertThrows(UncheckedIOException.class, () -> sink.report(List.of(WEIGHT)))
                        .getMessage()
                        .startsWith("the statistics cannot be written to " + file));
    }

    @Test
    void printsATable() {
        assertEquals(
                String.join(
                        System.lineSeparator(),
                        "quantizers, epoch 2, iteration 300",
                        "                                     scale  clipped %   SQNR dB  grad. ratio",
                        "conv1 W           1.000e-03 .. 2.500e-01      1.250     31.50        0.875",
                        "out \"x\" output                         -      0.000  Infinity            -"),
                StatisticsTable.text(List.of(WEIGHT, HALF)));
    }
}
