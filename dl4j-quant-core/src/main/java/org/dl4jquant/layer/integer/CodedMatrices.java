// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The weights of a running layer that has several, without bias, as matrices [out, in] of codes;
 * made anew when a parameter has changed.
 */
final class CodedMatrices {

    private final LayerTensors tensors;
    private final Map<String, WeightTensor> coded = new HashMap<>();
    private float[] seen = new float[0];

    CodedMatrices(LayerTensors tensors) {
        this.tensors = tensors;
    }

    /**
     * {@return a weight as integers, now: [out, in, 1, 1]}
     *
     * @param key its parameter name
     * @param outputFirst the parameter as a matrix [out, in], or a view of it
     * @param input how the codes that it multiplies stand for values
     * @throws IllegalStateException if a parameter is NaN or infinite; the message names it
     */
    WeightTensor tensor(String key, UnaryOperator<INDArray> outputFirst, QuantParams input) {
        float[] now = RowMajor.floats(Objects.requireNonNull(tensors.view()));
        if (!Arrays.equals(seen, now)) {
            coded.clear();
            seen = now;
        }
        return coded.computeIfAbsent(key + ' ' + input, unused -> fold(key, outputFirst, input));
    }

    private WeightTensor fold(String key, UnaryOperator<INDArray> outputFirst, QuantParams input) {
        String lost = NonFinite.firstName(tensors.parameters());
        Require.state(
                lost == null,
                "layer \"%s\": its parameter \"%s\" is NaN or infinite, and no integer stands for"
                        + " that; %s",
                tensors.name(),
                String.valueOf(lost),
                CodedWeights.REMEDY);
        CodeRounder rounder = Objects.requireNonNull(tensors.weight(key), key);
        INDArray parameter = Objects.requireNonNull(tensors.parameters().get(key), key);
        INDArray rows = outputFirst.apply(rounder.beforeRounding(parameter));
        Shape shape = Shape.of(Math.toIntExact(rows.size(0)), Math.toIntExact(rows.size(1)), 1, 1);
        WeightCodes codes = new WeightCodes(rounder);
        return new IntegerFold(
                        shape,
                        codes.range(),
                        codes.of(RowMajor.floats(rows), shape),
                        codes.scales(),
                        null,
                        null)
                .fold(input);
    }
}
