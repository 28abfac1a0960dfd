// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * The description of a node of codes of 16 bits in the metadata.
 *
 * @param operation quantize, dense or convolution
 * @param readsWide whether its input has 16 bits
 * @param bounds the clamp of its result's codes; null for float32 values
 * @param window of a convolution; null without
 * @param groups of a convolution, else 1
 */
record WideText(
        String operation,
        boolean readsWide,
        @Nullable CodeRange bounds,
        @Nullable Window window,
        int groups) {

    private static final String QUANTIZE = "quantize";
    private static final String DENSE = "dense";
    private static final String CONVOLUTION = "convolution";
    private static final int WINDOW = 10;

    /** Not tuned: 64 MB of int, far beyond any layer's window. */
    private static final int MOST_ELEMENTS = 1 << 24;

    private static final String PATTERN =
            "quantize|(dense|convolution) (8|16) (float|-?\\d{1,5} \\d{1,5})( \\d{1,9}){0,11}";

    /** {@return the text of a quantization} */
    static String ofQuantize() {
        return QUANTIZE;
    }

    /** {@return the text of a node} */
    static String of(Weighted node, QuantParams input) {
        StringBuilder text = new StringBuilder();
        text.append(node instanceof Dense ? DENSE : CONVOLUTION);
        text.append(input.range().isWide() ? " 16 " : " 8 ");
        text.append(
                node.output() instanceof Output.Codes codes
                        ? codes.bounds().min() + " " + codes.bounds().max()
                        : "float");
        if (node instanceof Convolution convolution) {
            Window window = convolution.window();
            for (Window.Extent extent :
                    List.of(
                            window.kernel(),
                            window.stride(),
                            window.dilation(),
                            window.before(),
                            window.after())) {
                text.append(' ').append(extent.height()).append(' ').append(extent.width());
            }
            text.append(' ').append(convolution.groups());
        }
        return text.toString();
    }

    /** {@return the description that a text is} */
    static WideText parse(String text) {
        Require.argument(
                text.matches(PATTERN), "'%s' does not describe a node of codes of 16 bits", text);
        List<String> words = new ArrayList<>(List.of(text.split(" ", -1)));
        String operation = words.remove(0);
        if (operation.equals(QUANTIZE)) {
            return new WideText(operation, false, new CodeRange(0, 1), null, 1);
        }
        boolean wide = words.remove(0).equals("16");
        CodeRange bounds = null;
        if (words.get(0).equals("float")) {
            words.remove(0);
        } else {
            bounds = new CodeRange(number(words), number(words));
        }
        boolean convolution = operation.equals(CONVOLUTION);
        Require.argument(
                words.size() == (convolution ? WINDOW + 1 : 0),
                "'%s' describes a %s by %d numbers of its window",
                text,
                operation,
                words.size());
        Window window =
                convolution
                        ? new Window(
                                extent(words),
                                extent(words),
                                extent(words),
                                extent(words),
                                extent(words))
                        : null;
        int groups = convolution ? number(words) : 1;
        if (window != null) {
            requireSmall(text, window, groups);
        }
        return new WideText(operation, wide, bounds, window, groups);
    }

    /* Before memory is taken for what a damaged file asks for. */
    private static void requireSmall(String text, Window window, int groups) {
        double elements =
                (double) groups
                        * ((window.kernel().height() - 1.0) * window.dilation().height() + 1)
                        * ((window.kernel().width() - 1.0) * window.dilation().width() + 1);
        Require.argument(
                elements <= MOST_ELEMENTS,
                "'%s' describes windows of %.0f elements in all groups; at most %d are allowed",
                text,
                elements,
                MOST_ELEMENTS);
    }

    private static int number(List<String> words) {
        return Integer.parseInt(words.remove(0));
    }

    private static Window.Extent extent(List<String> words) {
        return new Window.Extent(number(words), number(words));
    }

    boolean isQuantize() {
        return operation.equals(QUANTIZE);
    }

    boolean isDense() {
        return operation.equals(DENSE);
    }

    /** {@return whether the result is codes} */
    boolean makesCodes() {
        return bounds != null;
    }

    /** {@return the shape of weights of one channel in each group} */
    Shape leastWeights() {
        return window == null
                ? Shape.of(1, 1)
                : Shape.of(groups, 1, window.kernel().height(), window.kernel().width());
    }

    /** {@return the shape of an input of one channel in each group} */
    Shape leastInput() {
        return window == null
                ? Shape.of(1)
                : Shape.of(
                        groups,
                        extent(window.kernel().height(), window.dilation().height()),
                        extent(window.kernel().width(), window.dilation().width()));
    }

    private static int extent(int kernel, int dilation) {
        return (kernel - 1) * dilation + 1;
    }

    /** {@return the node} */
    Weighted node(String input, String name, WeightTensor weights, Optional<QuantParams> result) {
        Output output =
                result.isPresent() && bounds != null
                        ? new Output.Codes(result.get(), bounds)
                        : new Output.Floats();
        return window == null
                ? new Dense(name, input, weights, output)
                : new Convolution(name, input, weights, window, groups, output);
    }
}
