// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What no run on the CPU can find out about the kernels' sources. */
class KernelSourceRulesTest {

    private static final Path SOURCES = Path.of("src/main/cuda");
    private static final Pattern KERNEL =
            Pattern.compile("QK_KERNEL\\(([^{]*)\\) \\{\\n +([^\\n]*)\\n");

    /* It may be started before the one whose results it reads is done. */
    @Test
    void everyKernelFirstWaitsForTheOneBeforeIt() throws IOException {
        List<String> wrong = new ArrayList<>();
        int kernels = 0;
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.sorted().toList()) {
                // Those are launched alone.
                boolean alone = file.getFileName().toString().startsWith("conformance");
                if (!alone && file.toString().endsWith(".cu")) {
                    kernels++;
                    if (!waits(Files.readString(file))) {
                        wrong.add(file.toString());
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(kernels >= 11, kernels + " kernels");
    }

    private static boolean waits(String source) {
        Matcher kernel = KERNEL.matcher(source);
        return kernel.find() && kernel.group(2).matches("await_previous\\((input|left)\\);");
    }
}
