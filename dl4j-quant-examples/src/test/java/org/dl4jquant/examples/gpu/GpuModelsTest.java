// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.cuda.EngineFile;
import org.dl4jquant.cuda.GoldenRun;
import org.dl4jquant.cuda.Trial;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.cuda.driver.Nvrtc;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxReader;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class GpuModelsTest {

    private static final int SIZE = 32;
    private static final int DIVISOR = 8;

    /* A dead layer has one code, a dying one a few. */
    private static final int CODES_OF_A_LIVING_LAYER = 16;

    @TempDir private Path folder;

    @ParameterizedTest
    @EnumSource
    void noLayerOfAModelIsDead(GpuModel model) {
        Shape shape = model.input(SIZE, DIVISOR);
        IntGraph graph = RandomNetwork.lowered(model.create(SIZE, DIVISOR), shape);
        Random random = new Random(4);
        float[] values = new float[2 * shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        try (Engine engine = Engine.open("reference", graph)) {
            String input = graph.inputs().get(0).name();
            Map<String, Batch> trace =
                    engine.trace(Map.of(input, Batch.Floats.of(2, shape, values)));
            trace.forEach(
                    (name, batch) -> {
                        if (batch instanceof Batch.Codes codes) {
                            assertTrue(distinct(codes) >= CODES_OF_A_LIVING_LAYER, name);
                        }
                    });
            float[] results = ((Batch.Floats) trace.get(graph.outputs().get(0))).values();
            int half = results.length / 2;
            assertFalse(
                    Arrays.equals(
                            Arrays.copyOf(results, half),
                            Arrays.copyOfRange(results, half, results.length)));
        }
    }

    private static int distinct(Batch.Codes codes) {
        boolean[] seen = new boolean[256];
        int distinct = 0;
        for (byte container : codes.containers()) {
            distinct += seen[container & 0xff] ? 0 : 1;
            seen[container & 0xff] = true;
        }
        return distinct;
    }

    /* As torchvision counts them; it does not count means and variances. */
    @ParameterizedTest
    @CsvSource({"RESNET50, 25557032", "RESNET18, 11689512", "MOBILENETV2, 3504872"})
    void modelsHaveAsManyParametersAsThosePublished(GpuModel model, long parameters) {
        ComputationGraph network = model.create(SIZE, 1);
        long statistics = 0;
        for (Layer layer : network.getLayers()) {
            if (layer.conf().getLayer() instanceof BatchNormalization) {
                statistics += layer.numParams() / 2;
            }
        }
        assertEquals(parameters, network.numParams() - statistics);
    }

    @Test
    void makesABundle() throws IOException {
        requireNvrtc();
        Path bundle = folder.resolve("bundle");
        Path onnx = Files.createDirectories(folder.resolve("onnx"));
        String options =
                "--arch sm_80 --models gemm8192,lenet --size 32 --divisor 8 --examples 1 --tactics 1";
        assertEquals("", errors(options + " -o " + bundle + " --onnx " + onnx));
        for (String engine : List.of("gemm8192", "lenet", "conformance")) {
            assertEquals(
                    List.of("sm_80"),
                    EngineFile.read(bundle.resolve(engine + ".engine")).architectures());
        }
        assertEquals(new Trial("lenet", Trial.BATCHES), Trial.read(bundle, "lenet"));
        assertEquals(new Trial("gemm8192", List.of(8192)), Trial.read(bundle, "gemm8192"));
        GoldenRun golden = GoldenRun.read(bundle.resolve("lenet.golden"));
        IntGraph read = OnnxReader.read(onnx.resolve("lenet.onnx"));
        try (Engine engine = Engine.open("reference", read)) {
            assertEquals(golden.results(), GoldenRun.of(engine, golden.inputs()).results());
        }
        assertTrue(Files.isExecutable(bundle.resolve("run.sh")));
    }

    @Test
    void explainsWhatIsWrong() {
        assertWrong("expected one of [RESNET50, RESNET18,", "--models alexnet");
        assertWrong("--size is 31, but must be 32 or more", "--size 31");
        assertWrong("--divisor is 3, but must be 1, 2, 4 or 8", "--divisor 3");
        assertWrong("--tactics is -1, but must be 0 or more", "--tactics -1");
        assertWrong("--examples is 0, but must be 1 or more", "--examples 0");
        assertWrong("'sm_60' is no architecture", "--arch sm_60");
    }

    private void assertWrong(String part, String options) {
        String arch = options.startsWith("--arch") ? "" : " --arch sm_80";
        String errors = errors(options + arch + " -o " + folder.resolve("bundle"));
        assertTrue(errors.contains(part), errors);
        assertFalse(Files.exists(folder.resolve("bundle")));
    }

    /* What is printed; empty if all went well. */
    private static String errors(String options) {
        StringWriter printed = new StringWriter();
        int result =
                CommandLines.run(
                        new GpuModels(), new PrintWriter(printed), options.strip().split(" +"));
        assertEquals(
                printed.toString().isEmpty() ? CommandLines.OK : CommandLines.WRONG_INPUT, result);
        return printed.toString();
    }

    private static void requireNvrtc() {
        try {
            Nvrtc.find();
        } catch (CompilationException e) {
            Assumptions.abort("not run: " + e.getMessage());
        }
    }
}
