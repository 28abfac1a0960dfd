// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Provenance;

/**
 * A model of integer parts with steps in float between them, as ONNX bytes and as ONNX Runtime runs
 * it, with one thread. Float steps are near DL4J's, not equal in every bit.
 */
public final class HybridSession implements AutoCloseable {

    private final IntGraph graph;
    private final OrtSession session;

    private HybridSession(IntGraph graph, OrtSession session) {
        this.graph = graph;
        this.session = session;
    }

    /**
     * {@return the bytes of the ONNX model}
     *
     * @param graph the integer parts; results of islands are inputs
     * @param islands the steps in float
     * @param leaving the tensors of float32 that leave the model
     */
    public static byte[] toBytes(IntGraph graph, List<FloatIsland> islands, List<String> leaving) {
        return OnnxWriter.hybrid(
                Require.given(graph, "graph"),
                Require.given(islands, "islands"),
                Require.given(leaving, "leaving"));
    }

    /**
     * Opens a model.
     *
     * @param graph the integer parts; results of islands are inputs
     * @param islands the steps in float
     * @param leaving the tensors of float32 that leave the model
     * @return the session
     * @throws IllegalStateException if ONNX Runtime does not load it
     */
    public static HybridSession open(
            IntGraph graph, List<FloatIsland> islands, List<String> leaving) {
        byte[] bytes = toBytes(graph, islands, leaving);
        try (OrtSession.SessionOptions settings =
                OnnxRuntimeSession.settings(new OnnxRuntimeOptions(1))) {
            return new HybridSession(
                    graph, OrtEnvironment.getEnvironment().createSession(bytes, settings));
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "ONNX Runtime does not load the hybrid model: " + e.getMessage(), e);
        }
    }

    /**
     * Runs the model.
     *
     * @param inputs one batch for each input of the network
     * @return by name, the tensors that leave it; those that have last functions, after them
     */
    public Map<String, Batch.Floats> run(Map<String, Batch.Floats> inputs) {
        return run(inputs, true);
    }

    /**
     * Runs the model, and leaves out last functions.
     *
     * @param inputs one batch for each input of the network
     * @return by name, the tensors that leave it
     */
    public Map<String, Batch.Floats> scores(Map<String, Batch.Floats> inputs) {
        return run(inputs, false);
    }

    private Map<String, Batch.Floats> run(Map<String, Batch.Floats> inputs, boolean values) {
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, Batch.Floats> input :
                    Require.given(inputs, "inputs").entrySet()) {
                tensors.put(input.getKey(), OnnxRuntimeSession.tensor(input.getValue(), 1));
            }
            Map<String, String> valuesOf = valuesOf();
            int size = inputs.values().iterator().next().size();
            Map<String, Batch.Floats> results = new LinkedHashMap<>();
            try (OrtSession.Result result = session.run(tensors)) {
                for (Map.Entry<String, OnnxValue> output : result) {
                    String name = valuesOf.getOrDefault(output.getKey(), output.getKey());
                    if (values || name.equals(output.getKey())) {
                        results.put(
                                name,
                                floats(
                                        (OnnxTensor) output.getValue(),
                                        graph.type(name).shape(),
                                        size));
                    }
                }
            }
            return results;
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "ONNX Runtime failed to run the hybrid model: " + e.getMessage(), e);
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private static Batch.Floats floats(OnnxTensor tensor, Shape shape, int size) {
        float[] values = new float[size * shape.elements()];
        FloatBuffer buffer = tensor.getFloatBuffer();
        buffer.get(values);
        return Batch.Floats.of(size, shape, values);
    }

    /* By the name of the values: only the writer knows it, as the name it asked for may be taken. */
    private Map<String, String> valuesOf() throws OrtException {
        Map<String, String> outputs = new LinkedHashMap<>();
        session.getMetadata()
                .getCustomMetadata()
                .forEach(
                        (key, tail) -> {
                            if (key.startsWith(Provenance.TAIL)) {
                                outputs.put(tail, key.substring(Provenance.TAIL.length()));
                            }
                        });
        return outputs;
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "ONNX Runtime failed to close the hybrid model: " + e.getMessage(), e);
        }
    }
}
