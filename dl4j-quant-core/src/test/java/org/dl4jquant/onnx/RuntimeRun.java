// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
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
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.TensorType;

/** Runs model files, ours or foreign, in ONNX Runtime. */
final class RuntimeRun {

    private RuntimeRun() {}

    /**
     * The outputs of a file as the batches of a graph.
     *
     * @param bytes the file
     * @param graph what the file was read as, or written of
     * @param foreign whether signed codes are int8 in the file, not raised by 128
     * @param inputs the graph's inputs
     */
    static Map<String, Batch> of(
            byte[] bytes, IntGraph graph, boolean foreign, Map<String, Batch.Floats> inputs)
            throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        Map<String, Batch> outputs = new LinkedHashMap<>();
        try (OrtSession.SessionOptions settings =
                        OnnxRuntimeSession.settings(OnnxRuntimeOptions.DEFAULT);
                OrtSession session = environment.createSession(bytes, settings)) {
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
                    outputs.put(output.getKey(), batch(tensor, type, foreign));
                }
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
        return outputs;
    }

    private static Batch batch(OnnxTensor tensor, TensorType type, boolean foreign) {
        int size = (int) tensor.getInfo().getShape()[0];
        int elements = size * type.shape().elements();
        if (!type.isCodes()) {
            float[] values = new float[elements];
            FloatBuffer buffer = tensor.getFloatBuffer();
            buffer.get(values);
            return Batch.Floats.of(size, type.shape(), values);
        }
        byte[] containers = new byte[elements];
        ByteBuffer buffer = tensor.getByteBuffer();
        buffer.get(containers);
        if (!foreign) {
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
