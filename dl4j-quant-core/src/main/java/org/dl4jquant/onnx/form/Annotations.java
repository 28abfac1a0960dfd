// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.StringStringEntryProto;
import org.dl4jquant.onnx.wire.TensorAnnotation;

/** The quantization annotations of a graph: which initializers say how codes stand for values. */
final class Annotations {

    static final String SCALE = "SCALE_TENSOR";
    static final String ZERO_POINT = "ZERO_POINT_TENSOR";

    private final Map<String, Message> ofTensors = new HashMap<>();

    /**
     * Names of two initializers.
     *
     * @param scale units per code
     * @param zeroPoint the code of 0
     */
    record Names(String scale, String zeroPoint) {}

    Annotations(List<Message> annotations) {
        for (Message annotation : annotations) {
            ofTensors.put(annotation.get(TensorAnnotation.TENSOR_NAME), annotation);
        }
    }

    boolean has(String tensor) {
        return ofTensors.containsKey(tensor);
    }

    /** {@return the names for the result of an operator, which must have an annotation} */
    Names of(OnnxNode node) {
        Message annotation = ofTensors.get(node.output());
        node.require(
                annotation != null,
                "makes codes of unknown scale; a quantization annotation must name it");
        Map<String, String> names = new HashMap<>();
        for (Message entry :
                Objects.requireNonNull(annotation)
                        .get(TensorAnnotation.QUANT_PARAMETER_TENSOR_NAMES)) {
            names.put(
                    entry.get(StringStringEntryProto.KEY), entry.get(StringStringEntryProto.VALUE));
        }
        String scale = names.get(SCALE);
        String zeroPoint = names.get(ZERO_POINT);
        node.require(
                scale != null && zeroPoint != null,
                "has a quantization annotation of %s; it must name SCALE_TENSOR and"
                        + " ZERO_POINT_TENSOR",
                names.keySet());
        return new Names(Objects.requireNonNull(scale), Objects.requireNonNull(zeroPoint));
    }
}
