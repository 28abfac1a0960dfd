// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.dl4jquant.numeric.ElementwiseFunction.Elu;
import org.dl4jquant.numeric.ElementwiseFunction.Fixed;
import org.dl4jquant.numeric.ElementwiseFunction.PiecewiseLinear;
import org.dl4jquant.numeric.ElementwiseFunction.ThresholdedRelu;

/** Functions of results as files hold them: a word and its numbers, several joined by "; ". */
final class OutputFunctionText {

    static final String CLAMP = "clamp";
    static final String SLOPE = "slope";
    static final String SOFTMAX = "softmax";
    static final String BOX_GRID = "box_grid";
    private static final String ELU = "elu";
    private static final String THRESHOLDED_RELU = "thresholded_relu";
    private static final String PIECEWISE_LINEAR = "piecewise_linear";
    private static final String THEN = "; ";
    private static final Pattern SPACE = Pattern.compile(" ");

    private OutputFunctionText() {}

    static String of(ElementwiseFunction function) {
        if (function instanceof Elu elu) {
            return ELU + " " + elu.height();
        }
        if (function instanceof ThresholdedRelu relu) {
            return THRESHOLDED_RELU + " " + relu.threshold();
        }
        if (function instanceof PiecewiseLinear linear) {
            return String.join(
                    " ",
                    PIECEWISE_LINEAR,
                    "" + linear.max(),
                    "" + linear.threshold(),
                    "" + linear.slope());
        }
        return ((Fixed) function).name().toLowerCase(Locale.ROOT);
    }

    static String of(List<OutputFunction> functions) {
        return String.join(THEN, functions.stream().map(OutputFunction::text).toList());
    }

    static List<OutputFunction> parse(String text) {
        List<OutputFunction> functions = new ArrayList<>();
        for (String part : text.split(THEN, -1)) {
            try {
                functions.add(one(SPACE.split(part, -1)));
            } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                throw new IllegalArgumentException(
                        "'"
                                + part
                                + "' is no function of results that this version knows; write the"
                                + " file again, or use the version that wrote it",
                        e);
            }
        }
        return List.copyOf(functions);
    }

    private static OutputFunction one(String[] words) {
        OutputFunction function =
                switch (words[0]) {
                    case CLAMP ->
                            new OutputFunction.Clamp(
                                    Float.parseFloat(words[1]), Float.parseFloat(words[2]));
                    case SLOPE ->
                            new OutputFunction.Slope(
                                    Float.parseFloat(words[1]), Float.parseFloat(words[2]));
                    case SOFTMAX -> new OutputFunction.Softmax(Integer.parseInt(words[1]));
                    case BOX_GRID ->
                            new OutputFunction.BoxGrid(
                                    words[1].equals("last"),
                                    Arrays.stream(words).skip(2).map(Float::valueOf).toList());
                    default -> new OutputFunction.Pointwise(pointwise(words));
                };
        if (function.text().equals(String.join(" ", words))) {
            return function;
        }
        throw new IllegalArgumentException("it would be written as '" + function.text() + "'");
    }

    private static ElementwiseFunction pointwise(String[] words) {
        return switch (words[0]) {
            case ELU -> new Elu(Double.parseDouble(words[1]));
            case THRESHOLDED_RELU -> new ThresholdedRelu(Float.parseFloat(words[1]));
            case PIECEWISE_LINEAR ->
                    new PiecewiseLinear(
                            Double.parseDouble(words[1]),
                            Float.parseFloat(words[2]),
                            Double.parseDouble(words[3]));
            default -> Fixed.valueOf(words[0].toUpperCase(Locale.ROOT));
        };
    }
}
