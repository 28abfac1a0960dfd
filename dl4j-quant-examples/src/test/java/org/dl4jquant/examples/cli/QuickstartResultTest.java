// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.report.SimulatorReport;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

final class QuickstartResultTest {

    /** The figures are those of one run; the rest of the table follows from the code. */
    @Test
    void theReadmeShowsTheTableThatIsPrinted() throws IOException {
        QuickstartOptions options = new QuickstartOptions();
        new CommandLine(options).parseArgs();
        QuickstartResult result =
                new QuickstartResult(
                        options,
                        new QuickstartResult.Accuracies(0.976, 0.977, 0.981, 0.981),
                        new QuickstartResult.Sizes(1_725_553, 443_154),
                        new QuickstartResult.Latencies(3.574, 0.686, 19.985, 6.431),
                        new EqualityReport(
                                List.of("reference", "onnxruntime"),
                                1000,
                                20_514_000,
                                Map.of(),
                                null),
                        new SimulatorReport(1000, 18_900_000, Map.of(), 0, 0, 0, Map.of()));
        String readme = Files.readString(Path.of("..", "README.md"));
        String table = result.table().replace(System.lineSeparator(), "\n");
        assertTrue(readme.contains("```\n" + table + "\n```\n"), table);
    }
}
