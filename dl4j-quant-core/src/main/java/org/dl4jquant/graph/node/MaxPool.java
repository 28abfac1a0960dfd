// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.function.ToIntFunction;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/**
 * The largest code of each window; padding never wins. The result keeps the input's params.
 *
 * @param name the node's name
 * @param input codes of an image
 * @param window kernel, stride, dilation, padding
 */
public record MaxPool(String name, String input, Window window) implements KeepsCodes {
    /** Checks that every window sees at least one real element. */
    public MaxPool {
        NodeChecks.requireName(name);
        NodeChecks.requirePaddingBelowKernel(name, window);
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.image(this, input);
        Shape shape = NodeChecks.slid(this, window, type.shape().size(0), type.shape());
        requireNoEmptyWindow(this, type.shape(), shape, 1, Window.Extent::height);
        requireNoEmptyWindow(this, type.shape(), shape, 2, Window.Extent::width);
        return new TensorType(shape, type.params());
    }

    @Override
    public String kind() {
        return "MaxPool";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }

    /*
     * With dilation, a window's elements can all fall into the padding around a small image. Padding
     * is smaller than the kernel, so that a window that begins before the image has an element at or
     * after its begin, and one that begins after it has none before.
     */
    private static void requireNoEmptyWindow(
            MaxPool node, Shape image, Shape result, int axis, ToIntFunction<Window.Extent> size) {
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
}
