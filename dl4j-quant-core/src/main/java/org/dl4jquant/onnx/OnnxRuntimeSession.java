// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Containers;

/** One loaded model of ONNX Runtime. */
final class OnnxRuntimeSession implements AutoCloseable {

    /*
     * On processors without VNNI the kernels for uint8 x int8 add two products in int16, which
     * saturates; with this option the runtime makes the weights uint8 there, whose kernels do not.
     */
    private static final String NO_SATURATION = "session.x64quantprecision";

    private final IntGraph graph;
    private final OrtSession session;
    private final boolean repeatsSingles;

    OnnxRuntimeSession(IntGraph graph, OnnxRuntimeOptions options) {
        this.graph = graph;
        this.repeatsSingles = graph.nodes().stream().anyMatch(this::addsSingleElements);
        try (OrtSession.SessionOptions settings = settings(options)) {
            this.session =
                    OrtEnvironment.getEnvironment()
                            .createSession(OnnxWriter.toBytes(graph), settings);
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "ONNX Runtime does not load " + graph + ": " + e.getMessage(), e);
        }
    }

    static OrtSession.SessionOptions settings(OnnxRuntimeOptions options) throws OrtException {
        OrtSession.SessionOptions settings = new OrtSession.SessionOptions();
        settings.setIntraOpNumThreads(options.threads());
        settings.setInterOpNumThreads(1);
        settings.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        settings.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
        settings.addConfigEntry(NO_SATURATION, "1");
        return settings;
    }

    /*
     * QLinearAdd adds two tensors of one element each in another order than longer ones (it takes one
     * for a scalar), which changes about one code in a million. Two examples are never that short.
     */
    private boolean addsSingleElements(IntNode node) {
        return node instanceof Add && graph.type(node.name()).shape().elements() == 1;
    }

    /**
     * {@return the model's outputs, by name}
     *
     * @param inputs valid inputs
     * @param size how many examples each has
     * @param fixed the graph, for as many steps as the inputs have
     */
    Map<String, Batch> run(Map<String, Batch.Floats> inputs, int size, IntGraph fixed) {
        int copies = repeatsSingles && size == 1 ? 2 : 1;
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, Batch.Floats> input : inputs.entrySet()) {
                tensors.put(input.getKey(), tensor(input.getValue(), copies));
            }
            try (OrtSession.Result result = session.run(tensors)) {
                return batches(result, size, fixed);
            }
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "ONNX Runtime failed to run " + graph + ": " + e.getMessage(), e);
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    static OnnxTensor tensor(Batch.Floats batch, int copies) throws OrtException {
        long[] dimensions = new long[batch.shape().rank() + 1];
        dimensions[0] = (long) batch.size() * copies;
        for (int axis = 0; axis < batch.shape().rank(); axis++) {
            dimensions[axis + 1] = batch.shape().size(axis);
        }
        float[] values = batch.values();
        if (copies > 1) {
            values = Arrays.copyOf(values, values.length * copies);
            System.arraycopy(values, 0, values, batch.values().length, batch.values().length);
        }
        return OnnxTensor.createTensor(
                OrtEnvironment.getEnvironment(), FloatBuffer.wrap(values), dimensions);
    }

    private static Map<String, Batch> batches(OrtSession.Result result, int size, IntGraph fixed) {
        Map<String, Batch> batches = new LinkedHashMap<>();
        for (Map.Entry<String, OnnxValue> output : result) {
            TensorType type = fixed.type(output.getKey());
            batches.put(output.getKey(), batch((OnnxTensor) output.getValue(), type, size));
        }
        return batches;
    }

    private static Batch batch(OnnxTensor tensor, TensorType type, int size) {
        Shape shape = type.shape();
        if (!type.isCodes()) {
            float[] values = new float[size * shape.elements()];
            FloatBuffer buffer = tensor.getFloatBuffer();
            buffer.get(values);
            return Batch.Floats.of(size, shape, values);
        }
        if (type.codes().range().isWide()) {
            return wideCodes(tensor, type.codes(), shape, size);
        }
        byte[] containers = new byte[size * shape.elements()];
        ByteBuffer buffer = tensor.getByteBuffer();
        buffer.get(containers);
        Containers.flipInPlace(containers, type.codes().range());
        return Batch.Codes.of(size, shape, containers, type.codes());
    }

    /* Codes of 16 bits are float32 in the file. */
    private static Batch wideCodes(OnnxTensor tensor, QuantParams params, Shape shape, int size) {
        FloatBuffer buffer = tensor.getFloatBuffer();
        int[] codes = new int[size * shape.elements()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (int) buffer.get(i);
        }
        return Batch.Codes.ofCodes(size, shape, codes, params);
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "ONNX Runtime failed to close " + graph + ": " + e.getMessage(), e);
        }
    }
}
