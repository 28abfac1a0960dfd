// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.onnx.OnnxReader;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Lowered networks around each layer that slides a kernel over sequences, images or volumes, run on
 * the CPU by the GPU's kernels, against the reference engine. The core's tests write the graphs.
 */
class ConvolutionsTest {

    private static final String FOLDER = "/org/dl4jquant/convolutions/";
    private static final int EXAMPLES = 3;

    static List<String> files() throws IOException {
        return new String(bytes("files.txt"), StandardCharsets.UTF_8).lines().toList();
    }

    private static byte[] bytes(String file) throws IOException {
        try (InputStream resource =
                Objects.requireNonNull(ConvolutionsTest.class.getResourceAsStream(FOLDER + file))) {
            return resource.readAllBytes();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void kernelsComputeWhatTheReferenceDoes(String file) throws IOException {
        IntGraph graph = OnnxReader.fromBytes(bytes(file), file);
        Input input = graph.inputs().get(0);
        Random random = new Random(file.hashCode());
        float[] values = new float[EXAMPLES * input.shape().elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 2;
        }
        Map<String, Batch.Floats> inputs =
                Map.of(input.name(), Batch.Floats.of(EXAMPLES, input.shape(), values));
        // A plan makes scores: last functions are the engine's.
        try (Engine reference = Engine.open("reference", graph.scores())) {
            Map<String, Batch> expected = reference.run(inputs);
            for (Architecture architecture : List.of(Architecture.SM_75, Architecture.SM_90A)) {
                Plan plan = Planner.run(graph, architecture, EXAMPLES);
                requireEqual(file, expected, EmulatedPlan.run(plan, inputs, random.nextLong()));
            }
        }
    }

    private static void requireEqual(
            String file, Map<String, Batch> expected, Map<String, Batch> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach(
                (output, batch) -> {
                    float[] values = ((Batch.Floats) batch).values();
                    assertArrayEquals(values, ((Batch.Floats) found.get(output)).values(), file);
                    // A network of zeros would be equal, too.
                    assertTrue(
                            Arrays.hashCode(values) != Arrays.hashCode(new float[values.length]));
                });
    }
}
