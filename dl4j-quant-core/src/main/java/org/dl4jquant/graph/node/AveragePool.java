// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * The mean of each window.
 *
 * @param name the node's name
 * @param input codes of an image
 * @param window kernel, stride, padding; dilation 1
 * @param countPadding whether padding counts as values 0, or not at all
 * @param params how the result's codes stand for values
 */
public record AveragePool(
        String name, String input, Window window, boolean countPadding, QuantParams params)
        implements IntNode {
    /** As many as an image whose mean is computed in int32. */
    private static final long MAX_AREA = 1 << 23;

    /** Checks that every window sees at least one real element. */
    public AveragePool {
        NodeChecks.requireName(name);
        Objects.requireNonNull(params, "params");
        NodeChecks.requirePaddingBelowKernel(name, window);
        long area = (long) window.kernel().height() * window.kernel().width();
        Require.argument(
                area < MAX_AREA,
                "average pool '%s' has a window of %d elements; at most 2^23 - 1 are allowed",
                name,
                area);
        Require.argument(
                window.dilation().equals(Window.Extent.ONE),
                "average pool '%s' has dilation %s; only 1 x 1 is defined",
                name,
                window.dilation());
    }

    /**
     * {@return whether one window sees a whole image and no padding; its mean is then computed like
     * that of {@link GlobalAveragePool}}
     *
     * @param image the input's shape
     */
    public boolean coversImage(Shape image) {
        return window.kernel().equals(new Window.Extent(image.size(1), image.size(2)))
                && window.before().equals(Window.Extent.ZERO)
                && window.after().equals(Window.Extent.ZERO);
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.image(this, input);
        Shape shape = NodeChecks.slid(this, window, type.shape().size(0), type.shape());
        NodeChecks.inNode(this, () -> CodeMean.windowRatio(type.codes(), params));
        if (coversImage(type.shape())) {
            NodeChecks.requireImageMean(this, type, params);
        }
        return new TensorType(shape, params);
    }

    @Override
    public String kind() {
        return "AveragePool";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
