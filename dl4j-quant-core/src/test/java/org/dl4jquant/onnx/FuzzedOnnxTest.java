// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import onnx.Onnx.ModelProto;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Provenance;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;

/**
 * A model with one random change is refused, or what is read computes what ONNX Runtime computes on
 * the changed file itself: the same bits, or, in outputs after a deviation, most values as near as
 * other rounding leaves them. Where ONNX Runtime refuses the file that was read, there is nothing
 * to compare.
 */
class FuzzedOnnxTest {

    private static final int MUTATIONS = 1_000;
    private static final int MANY_MUTATIONS = 10_000;
    private static final int EXAMPLES = 3;
    private static final Duration AT_MOST = Duration.ofSeconds(10);

    /** Larger graphs are read but not run. */
    private static final int ELEMENTS_TO_RUN = 1 << 16;

    /*
     * A code that rounds otherwise is one apart, and some more after a node with a smaller scale, and
     * it changes the sums of the nodes after it; a file that was read as something else changes
     * nearly everything.
     */
    private static final int CODES_ALIKE = 5;
    private static final float FLOATS_ALIKE = 0.02f;
    private static final double MOST_CODES_APART = 0.25;

    private int refused;
    private int notLoaded;
    private int compared;
    private int notRun;

    @Test
    void refusesAChangedFileOrReadsWhatOnnxRuntimeComputes() throws Exception {
        fuzz(0, MUTATIONS);
        assertTrue(refused > MUTATIONS / 3, refused + " refused");
        assertTrue(compared > MUTATIONS / 10, compared + " compared");
    }

    @Test
    @Tag("thorough")
    void refusesManyChangedFilesOrReadsWhatOnnxRuntimeComputes() throws Exception {
        fuzz(MUTATIONS, MANY_MUTATIONS);
        assertTrue(compared > MANY_MUTATIONS / 10, compared + " compared");
    }

    private void fuzz(long first, int mutations) throws Exception {
        List<byte[]> models = models();
        for (long seed = first; seed < first + mutations; seed++) {
            byte[] changed = MutatedModel.of(models.get((int) (seed % models.size())), seed);
            long now = seed;
            OnnxReading reading =
                    assertTimeoutPreemptively(
                            AT_MOST, () -> readOrRefused(changed, now), "seed " + seed);
            if (reading != null) {
                compare(changed, reading, "seed " + seed);
            }
        }
        System.out.printf(
                "%d changed ONNX files: %d refused, %d not loaded by ONNX Runtime, %d not run, %d"
                        + " compared%n",
                mutations, refused, notLoaded, notRun, compared);
        assertEquals(mutations, refused + notLoaded + notRun + compared);
    }

    /** Files of ours without their checksum, and files in foreign forms. */
    private static List<byte[]> models() throws IOException {
        List<byte[]> models = new ArrayList<>();
        for (long seed = 0; seed < 20; seed++) {
            ModelProto.Builder model =
                    ModelProto.parseFrom(OnnxWriter.toBytes(RandomGraph.of(seed).graph()))
                            .toBuilder();
            for (int i = model.getMetadataPropsCount() - 1; i >= 0; i--) {
                if (model.getMetadataProps(i).getKey().equals(Provenance.HASH)) {
                    model.removeMetadataProps(i);
                }
            }
            models.add(model.build().toByteArray());
            models.add(DecimalModel.of(seed).bytes());
            models.add(DecimalModel.of(100 + seed).bytes());
        }
        return models;
    }

    private OnnxReading readOrRefused(byte[] changed, long seed) {
        try {
            return OnnxReader.inspect(changed, "seed " + seed);
        } catch (IllegalArgumentException e) {
            refused++;
            return null;
        }
    }

    private void compare(byte[] changed, OnnxReading reading, String what) {
        IntGraph graph = reading.graph();
        if (graph.nodes().stream()
                .anyMatch(
                        node ->
                                graph.type(node.name()).shape().elements() > ELEMENTS_TO_RUN
                                        || reach(node) > ELEMENTS_TO_RUN)) {
            notRun++;
            return;
        }
        if (RuntimeRun.aborts(changed)) {
            notRun++;
            return;
        }
        Map<String, Batch.Floats> inputs = inputs(graph);
        Map<String, Batch> found;
        try {
            found = RuntimeRun.of(changed, graph, inputs);
        } catch (OrtException e) {
            notLoaded++;
            return;
        } catch (IllegalStateException e) {
            throw new AssertionFailedError(what, e);
        }
        Map<String, Batch> expected;
        // A file returns scores.
        try (Engine reference = Engine.open("reference", graph.scores())) {
            expected = reference.run(inputs);
        }
        for (String output : graph.outputs()) {
            String where = what + ", output " + output + ": " + reading.text();
            if (reading.outputsThatMayDiffer().contains(output)) {
                float scale = scale(graph, output);
                double apart = apart(expected.get(output), found.get(output), scale);
                assertTrue(apart < MOST_CODES_APART, () -> where + ": " + apart + " apart");
            } else {
                assertTrue(RuntimeRun.equal(expected.get(output), found.get(output)), where);
            }
        }
        compared++;
    }

    /** How far the largest window slides. */
    private static int reach(IntNode node) {
        return node instanceof AveragePool pool
                ? pool.window().kernel().height() * pool.window().kernel().width()
                : 0;
    }

    private static Map<String, Batch.Floats> inputs(IntGraph graph) {
        Random random = new Random(7);
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (Input input : graph.inputs()) {
            Shape shape = input.shape();
            Integer rows = graph.indexLimits().get(input.name());
            float[] values = new float[EXAMPLES * shape.elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = rows == null ? (float) random.nextGaussian() * 4 : random.nextInt(rows);
            }
            inputs.put(input.name(), Batch.Floats.of(EXAMPLES, shape, values));
        }
        return inputs;
    }

    /** Units per code of the codes that an output is dequantized from; 0 if it is computed. */
    private static float scale(IntGraph graph, String output) {
        if (graph.type(output).isCodes()) {
            return graph.type(output).codes().scale();
        }
        IntNode node =
                graph.nodes().stream()
                        .filter(n -> n.name().equals(output))
                        .findFirst()
                        .orElseThrow();
        boolean moves = node instanceof Dequantize || node instanceof Reshape;
        return moves ? scale(graph, node.inputs().get(0)) : 0;
    }

    /** The share of values that are further apart than rounding makes them. */
    private static double apart(Batch expected, Batch found, float scale) {
        int apart = 0;
        if (expected instanceof Batch.Floats floats) {
            float[] theirs = ((Batch.Floats) found).values();
            float[] ours = floats.values();
            float alike = scale * CODES_ALIKE;
            for (float value : ours) {
                alike = Math.max(alike, Math.abs(value) * FLOATS_ALIKE);
            }
            for (int i = 0; i < ours.length; i++) {
                apart += Math.abs(ours[i] - theirs[i]) > alike ? 1 : 0;
            }
            return (double) apart / ours.length;
        }
        Batch.Codes ours = (Batch.Codes) expected;
        Batch.Codes theirs = (Batch.Codes) found;
        int length = ours.containers().length;
        for (int i = 0; i < length; i++) {
            apart += Math.abs(ours.code(i) - theirs.code(i)) > CODES_ALIKE ? 1 : 0;
        }
        return (double) apart / length;
    }
}
