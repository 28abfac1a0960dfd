// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * A two-dimensional convolution (cross-correlation); padding is the input's zero point.
 *
 * @param name the node's name
 * @param input codes of an image [in, height, width]
 * @param weights [out, in / groups, kernel height, kernel width]
 * @param window kernel, stride, dilation, padding
 * @param groups how many groups of channels do not see each other; {@code in} for depthwise
 * @param output codes or float32 values
 */
public record Convolution(
        String name, String input, WeightTensor weights, Window window, int groups, Output output)
        implements Weighted {
    /** Checks that the weights have the window's kernel. */
    public Convolution {
        NodeChecks.requireName(name);
        Objects.requireNonNull(output, "output");
        Require.argument(groups >= 1, "convolution '%s' has %d groups", name, groups);
        NodeChecks.requireKernel(name, weights, window, groups);
    }

    @Override
    public Convolution reading(String other) {
        return new Convolution(name, other, weights, window, groups, output);
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.image(this, input);
        int channels = type.shape().size(0);
        long seen = (long) weights.shape().size(1) * groups;
        Require.argument(
                channels == seen,
                "convolution '%s': '%s' has %d channels, its weights %s in %d groups are for %d",
                name,
                input,
                channels,
                weights.shape(),
                groups,
                seen);
        NodeChecks.requireComputable(this, weights, type.codes(), output);
        requirePaddedImage(this, type.shape());
        Shape shape = NodeChecks.slid(this, window, weights.channels(), type.shape());
        return new TensorType(shape, NodeChecks.paramsOf(output));
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        int axis = inputs.get(0).timeAxis();
        int kernel = axis == 1 ? window.kernel().height() : window.kernel().width();
        Require.argument(
                axis > 0
                        && kernel == 1
                        && result.shape().size(axis) == inputs.get(0).shape().size(axis),
                "convolution '%s' computes for a fixed number of steps only: its kernel has %d of"
                        + " them, and the number is free with one, without strides and padding",
                name,
                kernel);
        return axis;
    }

    @Override
    public String kind() {
        return "Convolution";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }

    private static void requirePaddedImage(Convolution node, Shape image) {
        Window window = node.window();
        long height = (long) image.size(1) + window.before().height() + window.after().height();
        long width = (long) image.size(2) + window.before().width() + window.after().width();
        NodeChecks.requireElements(node, "image with its padding, in one channel,", height * width);
        NodeChecks.requireElements(node, "image with its padding", image.size(0) * height * width);
    }
}
