// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FiguresTest {

    private static final Figure OURS =
            Figure.of(
                    "dl4j-quant int8",
                    "resnet50",
                    256,
                    new Spread(5000, 4900, 5100),
                    256e6,
                    "examples/s");

    @TempDir private Path folder;

    @Test
    void aSpreadIsOfSortedTimes() {
        double[] times = {10, 0, 9, 1, 8, 2, 7, 3, 6, 4, 5};
        assertEquals(new Spread(5, 1, 9), Spread.of(times));
        assertEquals(new Spread(3, 3, 3), Spread.of(new double[] {3}));
        assertEquals(
                "a spread of no times",
                assertThrows(IllegalArgumentException.class, () -> Spread.of(new double[0]))
                        .getMessage());
    }

    @Test
    void aRateIsWhatIsDoneInASecond() {
        assertEquals(5.0, OURS.millis());
        assertEquals(51_200, OURS.rate(), 1e-6);
        assertEquals(
                "dl4j-quant int8\tresnet50\t256\t5.0000\t4.9000\t5.1000\t51200.00\texamples/s",
                OURS.line());
    }

    @Test
    void peersAreComparedWithTheBestOfOurs() throws IOException {
        Figure cold =
                new Figure(
                        "dl4j-quant int8, cold cache", "resnet50", 256, 1, 1, 1, 9e9, "examples/s");
        Figure small =
                new Figure("dl4j-quant int8 (cut)", "resnet50", 256, 9, 9, 9, 2000, "examples/s");
        write("figures.tsv", List.of(OURS, cold, small));
        write(
                "peers.tsv",
                List.of(
                        new Figure(
                                "PyTorch fp16", "resnet50", 256, 20, 19, 21, 12_800, "examples/s"),
                        new Figure(
                                "PyTorch fp16, cold cache",
                                "resnet50",
                                256,
                                2,
                                2,
                                2,
                                3e9,
                                "examples/s"),
                        new Figure("PyTorch bf16", "gemm8192", 8192, 1, 1, 1, 790, "TOPS")));
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PeerTable.write(folder, new PrintStream(printed, true, StandardCharsets.UTF_8));
        String text = printed.toString(StandardCharsets.UTF_8);
        assertEquals(text, Files.readString(folder.resolve("comparison.txt")));
        List<String> lines = text.lines().toList();
        assertEquals(1 + 6, lines.size());
        assertTrue(lines.get(1).matches("resnet50 +256  dl4j-quant int8 .* 51,200 examples/s"));
        assertTrue(lines.get(4).contains("PyTorch fp16 "), lines.get(4));
        assertTrue(lines.get(4).endsWith(" 4.00 times as fast"), lines.get(4));
        assertTrue(lines.get(5).endsWith(" 3.00 times as fast"), lines.get(5));
        assertTrue(lines.get(6).endsWith(" 790 TOPS"), lines.get(6));
    }

    private void write(String file, List<Figure> figures) throws IOException {
        List<String> lines = new ArrayList<>(List.of(Figure.HEAD));
        figures.forEach(figure -> lines.add(figure.line()));
        Files.write(folder.resolve(file), lines);
    }

    @Test
    void whereThereAreNoPeersOursStandAlone() throws IOException {
        write("figures.tsv", List.of(OURS));
        PeerTable.write(folder, System.out);
        assertEquals(2, Files.readAllLines(folder.resolve("comparison.txt")).size());
    }

    @Test
    void refusesLinesThatAreNoFigures() throws IOException {
        Path file = folder.resolve("peers.tsv");
        for (String line : List.of("a\tb", "a\tb\tmany\t1\t1\t1\t1\tGB/s")) {
            Files.writeString(file, Figure.HEAD + "\n" + line + "\n");
            assertEquals(
                    file + " has a line that is no figure: " + line,
                    assertThrows(IOException.class, () -> Figure.read(file)).getMessage());
        }
    }
}
