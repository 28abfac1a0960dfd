// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.shade.jackson.databind.ObjectMapper;

final class FiguresTest {

    private static Figures figures() {
        return new Figures()
                .with("accuracy.float", 0.98125)
                .with("engines.differingCodes", 0)
                .with("accuracy.qat", 0.5)
                .with("seed", Long.MAX_VALUE);
    }

    @Test
    void aDotOpensAnObject() throws IOException {
        assertEquals(
                new ObjectMapper()
                        .readTree(
                                "{\"accuracy\":{\"float\":0.98125,\"qat\":0.5},"
                                        + "\"engines\":{\"differingCodes\":0},"
                                        + "\"seed\":9223372036854775807}")
                        .toString(),
                new ObjectMapper().readTree(figures().toJson()).toString());
    }

    @Test
    void theFileHoldsTheSame(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("report.json");
        Files.writeString(
                file, "what was here before, and is longer than what comes now".repeat(9));
        figures().write(file);
        assertEquals(figures().toJson(), Files.readString(file).strip());
    }

    @Test
    void refusesWhatJsonCannotHold() {
        refuses("figure 'x' is NaN, not finite", "x", Double.NaN);
        refuses(
                "figure 'a..b' is not named by letters and digits with single dots between them",
                "a..b",
                1);
        refuses("there is a figure 'accuracy.float' already", "accuracy.float", 1);
        refuses("there is a figure 'accuracy' already", "accuracy", 1);
        refuses(
                "figure 'seed.second' would lie within the number 'seed'; rename one of them",
                "seed.second",
                1);
    }

    private static void refuses(String message, String name, double value) {
        Figures figures = figures();
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> figures.with(name, value))
                        .getMessage());
    }
}
