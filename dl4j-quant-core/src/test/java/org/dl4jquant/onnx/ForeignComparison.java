// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;

/**
 * Compares what a foreign file was read as with ONNX Runtime, on the rewritten file and on itself.
 */
final class ForeignComparison {

    /** Two codes of 1/256: a Softmax that is quantized again is off by half of one at least. */
    private static final double SOFTMAX_TOLERANCE = 2 / 256.0;

    /** Files that ONNX Runtime cannot load, or that would abort it. */
    private static final List<String> NOT_LOADED =
            List.of(
                    "two nodes with same node name",
                    "Attempt to replace the existing tensor",
                    "Unrecognized attribute: axis for operator DequantizeLinear",
                    "output_dtype INT8 does not match");

    private final byte[] bytes;
    private final OnnxReading reading;
    private final String name;
    private int codes;
    private boolean loaded = true;

    private ForeignComparison(byte[] bytes, OnnxReading reading, String name) {
        this.bytes = bytes;
        this.reading = reading;
        this.name = name;
    }

    /**
     * Compares on random inputs.
     *
     * @param bytes the file
     * @param reading the graph that it was read as
     * @param name its name in messages
     * @param runs how many inputs, one example each
     * @return how many codes and values were compared
     */
    static int compare(byte[] bytes, OnnxReading reading, String name, int runs)
            throws OrtException {
        ForeignComparison comparison = new ForeignComparison(bytes, reading, name);
        byte[] rewritten = OnnxWriter.toBytes(reading.graph());
        assertEquals(reading.graph(), OnnxReader.fromBytes(rewritten, name + " rewritten"));
        for (long seed = 0; seed < runs; seed++) {
            comparison.run(rewritten, new Random(seed));
        }
        return comparison.codes;
    }

    private void run(byte[] rewritten, Random random) throws OrtException {
        IntGraph graph = IntGraph.of(reading.graph().nodes(), reading.graph().outputs());
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (Input input : graph.inputs()) {
            float[] values = new float[input.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian() * (random.nextInt(4) == 0 ? 3 : 1);
            }
            inputs.put(input.name(), Batch.Floats.of(1, input.shape(), values));
        }
        Map<String, Batch> expected;
        try (Engine reference = Engine.open("reference", graph)) {
            expected = reference.run(inputs);
        }
        Map<String, Batch> again = RuntimeRun.of(rewritten, graph, inputs);
        Map<String, Batch> itself = itself(graph, inputs);
        for (String output : graph.outputs()) {
            Batch codes = expected.get(output);
            assertTrue(
                    RuntimeRun.equal(codes, again.get(output)),
                    name + " rewritten, output " + output);
            if (loaded) {
                compareWithItself(output, codes, itself.get(output));
            }
        }
    }

    private Map<String, Batch> itself(IntGraph graph, Map<String, Batch.Floats> inputs)
            throws OrtException {
        try {
            loaded = loaded && !RuntimeRun.aborts(bytes);
            return loaded ? RuntimeRun.of(bytes, graph, inputs) : Map.of();
        } catch (OrtException e) {
            assertTrue(NOT_LOADED.stream().anyMatch(e.getMessage()::contains), name + ": " + e);
            loaded = false;
            return Map.of();
        }
    }

    private void compareWithItself(String output, Batch expected, Batch found) {
        codes += expected.size() * expected.shape().elements();
        if (reading.graph().functions().containsKey(output)) {
            if (reading.deviations().size() == 1) {
                compareValues(output, (Batch.Floats) expected, (Batch.Floats) found);
            }
            return;
        }
        assertTrue(
                reading.outputsThatMayDiffer().contains(output)
                        || RuntimeRun.equal(expected, found),
                name + " itself, output " + output + ": " + reading.text());
    }

    private void compareValues(String output, Batch.Floats scores, Batch.Floats found) {
        float[] values = scores.values().clone();
        reading.graph()
                .functions()
                .get(output)
                .forEach(function -> function.applyInPlace(values, 1, scores.shape()));
        for (int i = 0; i < values.length; i++) {
            assertEquals(values[i], found.values()[i], SOFTMAX_TOLERANCE, name + " " + output);
        }
    }

    /** The message without what is in quotes, to count by. */
    static String kind(String message) {
        return message.replaceAll("'[^']*'", "'...'");
    }
}
