// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.CodeSum;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Finds the type of a node's result from those of its inputs, and refuses what does not fit. */
final class TypeInference implements IntNode.Visitor<TensorType> {

    private final Map<String, TensorType> types;
    private final Set<String> fromOutside;

    /**
     * Makes the inference for the next node.
     *
     * @param types those of all nodes so far
     * @param fromOutside inputs and what only reshapes them
     */
    TypeInference(Map<String, TensorType> types, Set<String> fromOutside) {
        this.types = types;
        this.fromOutside = fromOutside;
    }

    @Override
    public TensorType visit(IntNode.Input node) {
        return new TensorType(node.shape(), null);
    }

    @Override
    public TensorType visit(IntNode.Quantize node) {
        TensorType input = typeOf(node.input());
        Require.argument(
                !input.isCodes(),
                "quantize '%s' reads codes from '%s'; it takes float32 values, use a Table to"
                        + " change scales",
                node.name(),
                node.input());
        Require.argument(
                fromOutside.contains(node.input()),
                "quantize '%s' reads '%s', which the graph computes from codes; let the node before"
                        + " it make codes, or use a Table to change scales",
                node.name(),
                node.input());
        return new TensorType(input.shape(), node.params());
    }

    @Override
    public TensorType visit(IntNode.Convolution node) {
        TensorType input = image(node, node.input());
        int channels = input.shape().size(0);
        long seen = (long) node.weights().shape().size(1) * node.groups();
        Require.argument(
                channels == seen,
                "convolution '%s': '%s' has %d channels, its weights %s in %d groups are for %d",
                node.name(),
                node.input(),
                channels,
                node.weights().shape(),
                node.groups(),
                seen);
        requireComputable(node, node.weights(), input.codes(), node.output());
        requirePaddedImage(node, input.shape());
        Shape shape = slid(node, node.window(), node.weights().channels(), input.shape());
        return new TensorType(shape, paramsOf(node.output()));
    }

    @Override
    public TensorType visit(IntNode.Dense node) {
        TensorType input = codes(node, node.input());
        Require.argument(
                input.shape().equals(Shape.of(node.weights().shape().size(1))),
                "dense '%s': '%s' has shape %s, its weights %s are for [%d]; reshape it first",
                node.name(),
                node.input(),
                input.shape(),
                node.weights().shape(),
                node.weights().shape().size(1));
        requireComputable(node, node.weights(), input.codes(), node.output());
        return new TensorType(Shape.of(node.weights().channels()), paramsOf(node.output()));
    }

    @Override
    public TensorType visit(IntNode.MaxPool node) {
        TensorType input = image(node, node.input());
        Shape shape = slid(node, node.window(), input.shape().size(0), input.shape());
        requireNoEmptyWindow(node, input.shape(), shape, 1, Window.Extent::height);
        requireNoEmptyWindow(node, input.shape(), shape, 2, Window.Extent::width);
        return new TensorType(shape, input.params());
    }

    @Override
    public TensorType visit(IntNode.AveragePool node) {
        TensorType input = image(node, node.input());
        Shape shape = slid(node, node.window(), input.shape().size(0), input.shape());
        inNode(node, () -> CodeMean.windowRatio(input.codes(), node.params()));
        if (node.coversImage(input.shape())) {
            requireImageMean(node, input, node.params());
        }
        return new TensorType(shape, node.params());
    }

    @Override
    public TensorType visit(IntNode.GlobalAveragePool node) {
        TensorType input = image(node, node.input());
        requireImageMean(node, input, node.params());
        return new TensorType(Shape.of(input.shape().size(0), 1, 1), node.params());
    }

    @Override
    public TensorType visit(IntNode.Add node) {
        TensorType left = codes(node, node.left());
        TensorType right = codes(node, node.right());
        Require.argument(
                left.shape().equals(right.shape()),
                "add '%s': '%s' has shape %s and '%s' has %s; they must be equal",
                node.name(),
                node.left(),
                left.shape(),
                node.right(),
                right.shape());
        Output.Codes output = node.output();
        inNode(
                node,
                () -> CodeSum.of(left.codes(), right.codes(), output.params(), output.bounds()));
        return new TensorType(left.shape(), output.params());
    }

    @Override
    public TensorType visit(IntNode.Concat node) {
        Shape first = codes(node, node.inputs().get(0)).shape();
        long channels = 0;
        for (String input : node.inputs()) {
            Shape shape = codes(node, input).shape();
            Require.argument(
                    tail(shape).equals(tail(first)),
                    "concat '%s': '%s' has shape %s, which does not fit %s behind the channels",
                    node.name(),
                    input,
                    shape,
                    first);
            channels += shape.size(0);
        }
        requireElements(node, "result", channels * (first.elements() / first.size(0)));
        List<Integer> joined = new ArrayList<>(first.dimensions());
        joined.set(0, (int) channels);
        return new TensorType(new Shape(joined), node.params());
    }

    @Override
    public TensorType visit(IntNode.Table node) {
        return new TensorType(codes(node, node.input()).shape(), node.params());
    }

    @Override
    public TensorType visit(IntNode.Reshape node) {
        TensorType input = typeOf(node.input());
        Require.argument(
                input.shape().elements() == node.shape().elements(),
                "reshape '%s': '%s' of shape %s has %d elements, %s has %d",
                node.name(),
                node.input(),
                input.shape(),
                input.shape().elements(),
                node.shape(),
                node.shape().elements());
        return new TensorType(node.shape(), input.params());
    }

    @Override
    public TensorType visit(IntNode.Dequantize node) {
        return new TensorType(codes(node, node.input()).shape(), null);
    }

    @Override
    public TensorType visit(IntNode.Rectify node) {
        TensorType input = typeOf(node.input());
        Require.argument(
                !input.isCodes() && !fromOutside.contains(node.input()),
                "rectify '%s' reads %s from '%s'; it takes float32 values that the graph computes,"
                        + " codes are clamped by their bounds or by a Table",
                node.name(),
                input.isCodes() ? "codes" : "an input",
                node.input());
        return input;
    }

    private TensorType typeOf(String name) {
        return Objects.requireNonNull(types.get(name), name);
    }

    private TensorType codes(IntNode node, String input) {
        TensorType type = typeOf(input);
        Require.argument(
                type.isCodes(),
                "node '%s' reads float32 values from '%s'; it takes codes, quantize them first",
                node.name(),
                input);
        return type;
    }

    private TensorType image(IntNode node, String input) {
        TensorType type = codes(node, input);
        Require.argument(
                type.shape().isImage(),
                "node '%s' reads '%s' of shape %s; it takes images [channels, height, width]",
                node.name(),
                input,
                type.shape());
        return type;
    }

    private static Shape slid(IntNode node, Window window, int channels, Shape image) {
        Window.Extent result =
                inNode(node, () -> window.over(new Window.Extent(image.size(1), image.size(2))));
        return inNode(node, () -> Shape.of(channels, result.height(), result.width()));
    }

    /**
     * Refuses what no engine should allocate.
     *
     * @param node the node
     * @param what of the node, for the message
     * @param elements how many elements it has for one example
     */
    static void requireElements(IntNode node, String what, long elements) {
        Require.argument(
                elements <= IntGraph.MAX_ELEMENTS,
                "node '%s': its %s has %d elements for one example; at most %d are allowed",
                node.name(),
                what,
                elements,
                IntGraph.MAX_ELEMENTS);
    }

    private static void requirePaddedImage(IntNode.Convolution node, Shape image) {
        Window window = node.window();
        long height = (long) image.size(1) + window.before().height() + window.after().height();
        long width = (long) image.size(2) + window.before().width() + window.after().width();
        requireElements(node, "image with its padding, in one channel,", height * width);
        requireElements(node, "image with its padding", image.size(0) * height * width);
    }

    /*
     * With dilation, a window's elements can all fall into the padding around a small image. Padding
     * is smaller than the kernel, so that a window that begins before the image has an element at or
     * after its begin, and one that begins after it has none before.
     */
    private static void requireNoEmptyWindow(
            IntNode.MaxPool node,
            Shape image,
            Shape result,
            int axis,
            ToIntFunction<Window.Extent> size) {
        Window window = node.window();
        int dilation = size.applyAsInt(window.dilation());
        int stride = size.applyAsInt(window.stride());
        int start = -size.applyAsInt(window.before());
        for (int at = 0; at < result.size(axis) && start < 0; at++, start += stride) {
            Require.argument(
                    Math.floorMod(start, dilation) < image.size(axis),
                    "pool '%s': the window at %d of axis %d sees padding only in an image %s; use"
                            + " less dilation or padding",
                    node.name(),
                    at,
                    axis,
                    image);
        }
    }

    private static void requireImageMean(IntNode node, TensorType input, QuantParams result) {
        int size = input.shape().size(1) * input.shape().size(2);
        inNode(node, () -> CodeMean.multiplier(input.codes(), result, size));
    }

    private static void requireComputable(
            IntNode node, WeightTensor weights, QuantParams input, Output output) {
        OverflowCertificate certificate = OverflowCertificate.of(weights, input);
        Require.argument(
                certificate.fitsInt32(),
                "node '%s': the accumulator of channel %d can reach [%d, %d], which int32 cannot"
                        + " hold; use fewer bits, or a smaller bias",
                node.name(),
                certificate.channel(),
                certificate.lowest(),
                certificate.highest());
        for (int channel = 0; channel < weights.channels(); channel++) {
            float multiplier = output.multiplier(input.scale(), weights.scale(channel));
            Require.argument(
                    Float.isFinite(multiplier),
                    "node '%s': the scales of channel %d (input %s, weights %s) give the multiplier"
                            + " %s, which is not finite; choose scales nearer to each other",
                    node.name(),
                    channel,
                    input.scale(),
                    weights.scale(channel),
                    multiplier);
        }
    }

    @CanIgnoreReturnValue
    private static <T> T inNode(IntNode node, Supplier<T> check) {
        try {
            return check.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("node '" + node.name() + "': " + e.getMessage(), e);
        }
    }

    private static @Nullable QuantParams paramsOf(Output output) {
        return output instanceof Output.Codes codes ? codes.params() : null;
    }

    private static List<Integer> tail(Shape shape) {
        return shape.dimensions().subList(1, shape.rank());
    }
}
