// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.onnx.form.Containers;

/** Runs model files, ours or foreign, in ONNX Runtime. */
final class RuntimeRun {

    /**
     * ONNX Runtime 1.28.0 with session.x64quantprecision=1 aborts the process when it loads int8
     * weights beyond 7 bits whose dequantize node has no zero point.
     */
    static final int SAFE_WEIGHT = 63;

    private RuntimeRun() {}

    /** Whether ONNX Runtime would abort the process. */
    static boolean aborts(byte[] bytes) {
        try {
            GraphProto graph = ModelProto.parseFrom(bytes).getGraph();
            Set<String> large =
                    graph.getInitializerList().stream()
                            .filter(RuntimeRun::isLarge)
                            .map(TensorProto::getName)
                            .collect(Collectors.toSet());
            return graph.getNodeList().stream()
                    .anyMatch(
                            node ->
                                    node.getOpType().equals("DequantizeLinear")
                                            && (node.getInputCount() < 3
                                                    || node.getInput(2).isEmpty())
                                            && large.contains(node.getInput(0)));
        } catch (IOException e) {
            throw new IllegalArgumentException("no model", e);
        }
    }

    private static boolean isLarge(TensorProto tensor) {
        for (byte code : tensor.getRawData()) {
            if (tensor.getDataType() == DataType.INT8_VALUE && Math.abs(code) > SAFE_WEIGHT) {
                return true;
            }
        }
        return false;
    }

    /**
     * The outputs of a file as the batches of a graph.
     *
     * @param bytes the file
     * @param graph the graph that was read from the file, or written to it
     * @param inputs the graph's inputs
     */
    static Map<String, Batch> of(byte[] bytes, IntGraph graph, Map<String, Batch.Floats> inputs)
            throws OrtException {
        return of(bytes, graph, inputs, OptLevel.ALL_OPT);
    }

    /** The same at a level of optimization. */
    static Map<String, Batch> of(
            byte[] bytes, IntGraph graph, Map<String, Batch.Floats> inputs, OptLevel level)
            throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        Map<String, Batch> outputs = new LinkedHashMap<>();
        try (OrtSession.SessionOptions settings =
                        OnnxRuntimeSession.settings(OnnxRuntimeOptions.DEFAULT);
                OrtSession session =
                        environment.createSession(bytes, leveled(quiet(settings), level))) {
            for (Map.Entry<String, Batch.Floats> input : inputs.entrySet()) {
                Batch.Floats batch = input.getValue();
                long[] dimensions = new long[batch.shape().rank() + 1];
                dimensions[0] = batch.size();
                for (int axis = 0; axis < batch.shape().rank(); axis++) {
                    dimensions[axis + 1] = batch.shape().size(axis);
                }
                tensors.put(
                        input.getKey(),
                        OnnxTensor.createTensor(
                                environment, FloatBuffer.wrap(batch.values()), dimensions));
            }
            try (OrtSession.Result result = session.run(tensors)) {
                for (Map.Entry<String, OnnxValue> output : result) {
                    TensorType type = graph.type(output.getKey());
                    OnnxTensor tensor = (OnnxTensor) output.getValue();
                    outputs.put(output.getKey(), batch(tensor, type));
                }
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
        return outputs;
    }

    /* What it refuses, it throws as well. */
    private static OrtSession.SessionOptions quiet(OrtSession.SessionOptions settings)
            throws OrtException {
        settings.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
        return settings;
    }

    private static OrtSession.SessionOptions leveled(
            OrtSession.SessionOptions settings, OptLevel level) throws OrtException {
        settings.setOptimizationLevel(level);
        return settings;
    }

    /* Signed codes are int8 in files of others, and 128 higher in uint8 in ours. */
    private static Batch batch(OnnxTensor tensor, TensorType type) {
        int size = (int) tensor.getInfo().getShape()[0];
        int elements = size * type.shape().elements();
        if (elements != tensor.getInfo().getNumElements()
                || type.isCodes() == (tensor.getInfo().type == OnnxJavaType.FLOAT)) {
            throw new IllegalStateException(
                    "ONNX Runtime returns " + tensor.getInfo() + " for " + type);
        }
        if (!type.isCodes()) {
            float[] values = new float[elements];
            FloatBuffer buffer = tensor.getFloatBuffer();
            buffer.get(values);
            return Batch.Floats.of(size, type.shape(), values);
        }
        byte[] containers = new byte[elements];
        ByteBuffer buffer = tensor.getByteBuffer();
        buffer.get(containers);
        if (tensor.getInfo().type == OnnxJavaType.UINT8) {
            Containers.flipInPlace(containers, type.codes().range());
        }
        return Batch.Codes.of(size, type.shape(), containers, type.codes());
    }

    /** Whether two batches are equal in every code, or in every bit of their values. */
    static boolean equal(Batch one, Batch other) {
        if (one instanceof Batch.Floats floats) {
            return Arrays.equals(floats.values(), ((Batch.Floats) other).values());
        }
        return Arrays.equals(((Batch.Codes) one).containers(), ((Batch.Codes) other).containers());
    }

    /** The operators of the graph that ONNX Runtime makes of a file. */
    static List<NodeProto> optimized(byte[] bytes, OptLevel level)
            throws OrtException, IOException {
        Path file = Files.createTempFile("optimized", ".onnx");
        try (OrtSession.SessionOptions settings =
                OnnxRuntimeSession.settings(OnnxRuntimeOptions.DEFAULT)) {
            settings.setOptimizationLevel(level);
            settings.setOptimizedModelFilePath(file.toString());
            OrtEnvironment.getEnvironment().createSession(bytes, settings).close();
            return ModelProto.parseFrom(Files.readAllBytes(file)).getGraph().getNodeList();
        } finally {
            Files.delete(file);
        }
    }
}
