// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Python program that times PyTorch, with something in PyTorch's place that knows shapes. */
final class PeersTest {

    @TempDir private Path folder;

    private record Result(int status, String printed) {}

    @BeforeEach
    void unpack() throws IOException {
        try {
            Assumptions.assumeTrue(
                    python("-c", "import sys; assert sys.version_info >= (3, 7)").status() == 0,
                    "not run: python3 is older than 3.7");
        } catch (IOException e) {
            Assumptions.abort("not run: there is no python3");
        }
        RunnerFolder.complete(folder);
    }

    @Test
    void measuresWhatTheEnginesAreMeasuredOn() throws IOException {
        Path out = folder.resolve("out");
        Result result = python(folder + "/peers.py", out.toString(), "--seconds", "100");
        assertEquals(0, result.status(), result.printed());
        assertTrue(
                result.printed().contains("fp8 8192x8192x8192: RuntimeError: no fp8 here\n"),
                result.printed());
        List<String> lines = Files.readAllLines(out.resolve("peers.tsv"));
        assertEquals("who\twhat\tbatch\tms\tp10\tp90\trate\tunit", lines.get(0));
        // 8192 examples in the time that the stand-in says: 3 ms.
        assertTrue(
                lines.contains(
                        "PyTorch bf16\tgemm8192 product\t8192\t3.0000\t2.0000\t4.0000\t366.50\tTOPS"),
                lines.toString());
        for (GpuModel model : GpuModel.values()) {
            for (int batch : model.batches()) {
                boolean product = model == GpuModel.GEMM8192;
                String row =
                        (product ? "PyTorch int8 _int_mm" : "PyTorch fp16 CUDA graph")
                                + "\t"
                                + model.file()
                                + (product ? " product" : "")
                                + "\t"
                                + batch
                                + "\t";
                boolean peers = lines.stream().anyMatch(line -> line.startsWith(row));
                assertEquals(model != GpuModel.LENET, peers, row);
            }
        }
        assertTrue(
                lines.stream()
                        .anyMatch(
                                line ->
                                        line.startsWith(
                                                "PyTorch fp16 max-autotune\tresnet50\t256")));
    }

    @Test
    void networksHaveAsManyWeightsAsOurs() throws IOException {
        Result result =
                python(
                        "-c",
                        """
                        import sys; sys.path.insert(0, sys.argv[1])
                        import peers, torch
                        for name, (make, shape) in peers.networks(torch)[0].items():
                            print(name, sum(layer.weights for layer in make().modules()))
                        """,
                        folder.toString());
        assertEquals(
                """
                resnet50 25502912
                resnet18 11678912
                mobilenetv2 3469760
                dense8x4096 134258688
                """,
                result.printed());
    }

    @Test
    void stopsWhatTakesTooLong() throws IOException {
        Result result =
                python(
                        "-c",
                        """
                        import sys; sys.path.insert(0, sys.argv[1])
                        import peers
                        program = "import time; print('ROW\\tone', flush=True); time.sleep(60)"
                        command = [sys.executable, "-c", program]
                        with open(sys.argv[1] + "/table", "w+") as table:
                            ended = peers.run_task("long", command, 2, table, sys.stderr)
                            table.seek(0)
                            print(ended, table.read())
                        """,
                        folder.toString());
        assertTrue(result.printed().contains("long: stopped after 2 s\n"), result.printed());
        assertTrue(result.printed().contains("False one\n"), result.printed());
    }

    @Test
    void saysWhatWasLeftOut() throws IOException {
        Result result = python(folder + "/peers.py", folder + "/out", "--seconds", "0");
        assertEquals(0, result.status());
        assertTrue(
                result.printed()
                        .startsWith(
                                "left out for want of time, or failed: ceilings; graph resnet50"),
                result.printed());
    }

    private Result python(String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of("python3"));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PYTHONPATH", fake().toString());
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        Process process = builder.start();
        String printed =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            return new Result(process.waitFor(), printed);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static Path fake() {
        try {
            return Path.of(
                    Objects.requireNonNull(PeersTest.class.getResource("/fake-torch")).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
