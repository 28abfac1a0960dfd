// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Files that ONNX Runtime's quantizer and PyTorch wrote, in {@code ../shared/data/foreign-onnx}:
 * each is refused by name, or gives what ONNX Runtime computes on the file and on the rewritten
 * one. Files are named {@code group-network}; no group may be read less than before.
 */
class ForeignFilesTest {

    private static final int RUNS = 4;

    /** How many of a group are read at least; a group that is not here, wholly. */
    private static final Map<String, Integer> READ =
            Map.ofEntries(
                    Map.entry("ort-act16", 0), // codes of 16 bits
                    Map.entry("ort-dynamic", 2), // dynamic convolutions, functions in float32
                    Map.entry("ort-only_conv", 0), // pools and sums in float32
                    Map.entry("ort-only_gemm", 0), // convolutions in float32
                    Map.entry("ort-qdq_default", 19),
                    Map.entry("ort-qdq_nobias", 19),
                    Map.entry("ort-qdq_s8s8_sym_pc", 19),
                    Map.entry("ort-qdq_trt", 19),
                    Map.entry("ort-qdq_u8s8", 19),
                    Map.entry("ort-qdq_u8s8_pc", 19),
                    Map.entry("ort-qdq_u8u8", 19),
                    Map.entry("ort-qop_u8s8_pc", 19),
                    Map.entry("ort-qop_u8u8", 19),
                    Map.entry("torch-qats8_op13", 0), // weights alone have codes
                    Map.entry("torch-qats8_op17", 0),
                    Map.entry("torch-qatu8_op13", 3), // a batch normalization in float32
                    Map.entry("torch-qatu8_op17", 1));

    @Test
    void readsForeignFilesAsOnnxRuntimeComputesThemOrRefusesThem() throws Exception {
        Path folder = folder();
        assumeTrue(
                Files.isDirectory(folder),
                () -> "not run: there are no foreign files in " + folder);
        Map<String, int[]> counts = new TreeMap<>();
        Map<String, Integer> refused = new TreeMap<>();
        int compared = 0;
        for (Path file : files(folder)) {
            String name = file.getFileName().toString().replace(".onnx", "");
            int[] count =
                    counts.computeIfAbsent(
                            name.substring(0, name.lastIndexOf('-')), group -> new int[2]);
            count[1]++;
            byte[] bytes = Files.readAllBytes(file);
            OnnxReading reading;
            try {
                reading = OnnxReader.inspect(bytes, name);
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().startsWith("ONNX model '" + name + "': "));
                refused.merge(ForeignComparison.kind(e.getMessage()), 1, Integer::sum);
                continue;
            }
            compared += ForeignComparison.compare(bytes, reading, name, RUNS);
            count[0]++;
        }
        report(counts, compared);
        counts.forEach(
                (group, count) ->
                        assertTrue(
                                count[0] >= READ.getOrDefault(group, count[1]),
                                group + ": " + count[0] + " read; " + refused));
    }

    private static void report(Map<String, int[]> counts, int compared) {
        StringBuilder text = new StringBuilder("foreign ONNX files, read of all:");
        int read = 0;
        int all = 0;
        for (Map.Entry<String, int[]> group : counts.entrySet()) {
            read += group.getValue()[0];
            all += group.getValue()[1];
            text.append(
                    " %s %d/%d"
                            .formatted(group.getKey(), group.getValue()[0], group.getValue()[1]));
        }
        System.out.printf("%s; together %d/%d, %d codes%n", text, read, all, compared);
    }

    private static Path folder() {
        String named = System.getProperty("dl4jquant.data");
        Path data = named == null ? Path.of("..", "..", "shared", "data") : Path.of(named);
        return data.resolve("foreign-onnx");
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> models =
                    files.filter(file -> file.toString().endsWith(".onnx")).sorted().toList();
            assertFalse(models.isEmpty(), folder + " is empty");
            return models;
        }
    }
}
