// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script of a bundle, with scripts in the places of Java and Python. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "not run: the script is for a POSIX shell")
final class RunScriptTest {

    @TempDir private Path bundle;

    @BeforeEach
    void makeABundle() throws IOException {
        RunnerFolder.complete(bundle);
        for (String engine : List.of("conformance", "lenet", "resnet50")) {
            Files.createFile(bundle.resolve(engine + ".engine"));
        }
        Files.createDirectories(bundle.resolve("out"));
    }

    @Test
    void triesEachEngineInAProcessThenThePeers() throws IOException {
        assertEquals(
                List.of(
                        "java GpuRunner conformance",
                        "java GpuRunner resnet50",
                        "java GpuRunner lenet",
                        "python -c",
                        "python peers.py --seconds 7",
                        "java PeerTable"),
                run(0, "exit 0", "exit 0"));
    }

    @Test
    void saysWhenThereIsNoPyTorch() throws IOException {
        List<String> lines = run(0, "exit 0", "exit 1");
        assertTrue(lines.get(4).endsWith(" has no PyTorch that sees a GPU"), lines.toString());
        assertEquals("java PeerTable", lines.get(5));
    }

    @Test
    void goesOnWhenAnEngineFails() throws IOException {
        List<String> lines = run(1, "[ \"$3\" != lenet ] || exit 124", "exit 0");
        assertTrue(lines.contains("lenet: ended with 124"), lines.toString());
        assertTrue(lines.contains("java GpuRunner resnet50"), lines.toString());
        assertEquals("java PeerTable", lines.get(lines.size() - 1));
        assertEquals(
                "lenet: ended with 124\n", Files.readString(bundle.resolve("out/summary.txt")));
    }

    @Test
    void tellsThatCodesDiffer() throws IOException {
        assertEquals(6, run(1, "[ \"$3\" != resnet50 ] || exit 1", "exit 0").size());
    }

    @Test
    void endsWhereThereIsNoGpu() throws IOException {
        assertEquals(List.of("java GpuRunner conformance"), run(2, "exit 2", "exit 0"));
    }

    /* What was printed: each call with its last arguments. In java's script, $3 is the part. */
    private List<String> run(int expected, String java, String python) throws IOException {
        Path javaStub =
                script(
                        "java",
                        """
                        shift 2
                        echo java ${1##*.} $4
                        shift
                        """
                                + java);
        Path pythonStub = script("python", "echo python ${1##*/} $3 $4\n" + python);
        ProcessBuilder builder =
                new ProcessBuilder(bundle + "/run.sh", bundle + "/out", "7")
                        .redirectErrorStream(true);
        builder.environment().put("JAVA", javaStub.toString());
        builder.environment().put("PYTHON", pythonStub.toString());
        Process process = builder.start();
        String printed =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            assertEquals(expected, process.waitFor(), printed);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return printed.lines().map(String::strip).toList();
    }

    private Path script(String name, String text) throws IOException {
        Path file = Files.writeString(bundle.resolve("a-" + name), "#!/bin/sh\n" + text + "\n");
        assertTrue(file.toFile().setExecutable(true));
        return file;
    }
}
