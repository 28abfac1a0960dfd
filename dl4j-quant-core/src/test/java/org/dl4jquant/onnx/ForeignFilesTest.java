// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.junit.jupiter.api.Test;

/**
 * Files that ONNX Runtime's quantizer and PyTorch wrote, in {@code ../shared/data/foreign-onnx}:
 * each is refused by name, or gives what ONNX Runtime computes on the file and on the rewritten
 * one.
 */
class ForeignFilesTest {

    private static final int RUNS = 8;

    @Test
    void readsForeignFilesAsOnnxRuntimeComputesThemOrRefusesThem() throws Exception {
        Path folder = folder();
        assumeTrue(
                Files.isDirectory(folder),
                () -> "not run: there are no foreign files in " + folder);
        int read = 0;
        Map<String, Integer> refused = new TreeMap<>();
        for (Path file : files(folder)) {
            byte[] bytes = Files.readAllBytes(file);
            OnnxReading reading;
            try {
                reading = OnnxReader.inspect(bytes, file.getFileName().toString());
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().contains(file.getFileName().toString()));
                refused.merge(e.getMessage(), 1, Integer::sum);
                continue;
            }
            for (long seed = 0; seed < RUNS; seed++) { // many of the files take one example only
                compare(bytes, reading, file.getFileName().toString(), seed);
            }
            read++;
        }
        System.out.printf("foreign ONNX files: %d compared, %d refused%n", read, refused.size());
        assertTrue(read > 0, refused.toString());
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

    private static void compare(byte[] bytes, OnnxReading reading, String name, long seed)
            throws OrtException {
        IntGraph graph = reading.graph();
        Random random = new Random(seed);
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (Input input : graph.inputs()) {
            float[] values = new float[input.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            inputs.put(input.name(), Batch.Floats.of(1, input.shape(), values));
        }
        Map<String, Batch> expected;
        try (Engine reference = Engine.open("reference", graph)) {
            expected = reference.run(inputs);
        }
        Map<String, Batch> rewritten = RuntimeRun.of(OnnxWriter.toBytes(graph), graph, inputs);
        Map<String, Batch> itself = RuntimeRun.of(bytes, graph, inputs);
        for (String output : graph.outputs()) {
            assertTrue(
                    RuntimeRun.equal(expected.get(output), rewritten.get(output)),
                    name + " rewritten, output " + output);
            assertTrue(
                    reading.outputsThatMayDiffer().contains(output)
                            || RuntimeRun.equal(expected.get(output), itself.get(output)),
                    name + " itself, output " + output + ": " + reading.text());
        }
    }
}
