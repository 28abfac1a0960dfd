// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.DataType;

/** ONNX's LayerNormalization of dequantized codes, which other tools write, as a normalization. */
final class LayerNormalizations {

    static final String OPERATOR = "LayerNormalization";

    private static final float EPSILON = 1e-5f;
    private static final int LAST = -1;

    private LayerNormalizations() {}

    /** {@return the node of an operator} */
    static Normalize read(OnnxNode operator, QuantizedResult codes, FormReader source) {
        operator.requireInputs(2, 3);
        operator.requireAttributes("axis", "epsilon", "stash_type");
        operator.requireInteger("stash_type", 1, 1);
        String input = source.codes(operator, 0);
        Shape shape = source.shape(input);
        int rank = shape.rank() + 1;
        int axis = operator.integer("axis", LAST);
        int first = axis < 0 ? axis + rank : axis;
        operator.require(
                first > 0 && first < rank,
                "normalizes from the dimension %d on of '%s', whose examples have the shape %s; it"
                        + " must be one of an example",
                axis,
                input,
                shape);
        Normalize.Span span = Normalize.Span.whole(first - 1, rank - first);
        int length = span.length(shape);
        float epsilon = operator.number("epsilon", EPSILON);
        Normalization formula =
                Normalization.ofLayer(
                        epsilon,
                        length,
                        source.params(input).scale(),
                        places(operator, 1, length, source),
                        operator.optionalInput(2).isPresent()
                                ? places(operator, 2, length, source)
                                : List.of());
        return new Normalize(codes.name(), input, span, formula, codes.clamped(source));
    }

    private static List<Float> places(OnnxNode operator, int index, int length, FormReader source) {
        float[] values = values(operator.input(index), source);
        operator.require(
                values.length == 1 || values.length == length,
                "has %d values in '%s' for rows of %d; there must be one for each",
                values.length,
                operator.input(index),
                length);
        List<Float> places = new ArrayList<>();
        for (float value : values) {
            places.add(value);
        }
        return values.length == 1 ? Collections.nCopies(length, places.get(0)) : places;
    }

    /* A constant of float32, or dequantized codes with one scale. */
    private static float[] values(String tensor, FormReader source) {
        OnnxNode dequantize = source.graph().maker(tensor, Operators.DEQUANTIZE).orElse(null);
        if (dequantize == null) {
            return source.constants().floats(tensor);
        }
        float scale = source.constants().scalar(dequantize.input(1));
        int[] codes = integers(dequantize.input(0), source);
        int zero = dequantize.optionalInput(2).map(name -> integers(name, source)[0]).orElse(0);
        float[] values = new float[codes.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (codes[i] - zero) * scale;
        }
        return values;
    }

    private static int[] integers(String constant, FormReader source) {
        Constants constants = source.constants();
        return constants.isOf(constant, DataType.INT32)
                ? constants.ints(constant)
                : constants.codes(constant, "a normalization's gains");
    }
}
