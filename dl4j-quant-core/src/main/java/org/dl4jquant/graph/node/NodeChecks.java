// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Checks that several nodes have in common. */
public final class NodeChecks {

    private NodeChecks() {}

    /**
     * Requires a name that every file can hold.
     *
     * @param name of a node
     * @throws IllegalArgumentException if it cannot be used
     */
    static void requireName(String name) {
        Require.given(name, "name");
        Require.argument(!name.isBlank(), "a node of the integer graph has a blank name");
        Require.argument(
                name.chars().noneMatch(Character::isISOControl)
                        && StandardCharsets.UTF_8.newEncoder().canEncode(name),
                "the name of node '%s' holds control characters or half a character, which not"
                        + " every file can; choose another",
                name);
    }

    /**
     * Requires that no window of a pool sees padding only.
     *
     * @param name the pool
     * @param window its windows
     * @throws IllegalArgumentException if one may
     */
    static void requirePaddingBelowKernel(String name, Window window) {
        Window.Extent kernel = window.kernel();
        Require.argument(
                window.before().height() < kernel.height()
                        && window.after().height() < kernel.height()
                        && window.before().width() < kernel.width()
                        && window.after().width() < kernel.width(),
                "pool '%s': padding %s and %s must be smaller than the kernel %s, or a window"
                        + " would see padding only",
                name,
                window.before(),
                window.after(),
                kernel);
    }

    /**
     * Requires that a convolution's weights fit its windows and groups.
     *
     * @param name the convolution
     * @param weights [out, in / groups, kernel height, kernel width]
     * @param window its windows
     * @param groups how many groups of channels there are
     */
    static void requireKernel(String name, WeightTensor weights, Window window, int groups) {
        Require.argument(
                weights.shape().rank() == 4
                        && weights.shape().size(2) == window.kernel().height()
                        && weights.shape().size(3) == window.kernel().width()
                        && weights.channels() % groups == 0,
                "convolution '%s': weights %s do not fit kernel %s and %d groups; they are"
                        + " [out, in / groups, kernel height, kernel width]",
                name,
                weights.shape(),
                window.kernel(),
                groups);
    }

    /**
     * Refuses what no engine should allocate.
     *
     * @param node the node
     * @param what of the node, for the message
     * @param elements how many elements it has for one example
     */
    public static void requireElements(IntNode node, String what, long elements) {
        Require.argument(
                elements <= TensorType.MAX_ELEMENTS,
                "node '%s': its %s has %d elements for one example; at most %d are allowed",
                node.name(),
                what,
                elements,
                TensorType.MAX_ELEMENTS);
    }

    /**
     * Requires that every entry of a table is a code of the result.
     *
     * @param name the node
     * @param table the table
     * @param params how the result's codes stand for values
     */
    static void requireEntries(String name, CodeTable table, QuantParams params) {
        for (byte entry : table.entries()) {
            int code = params.range().decode(entry);
            Require.argument(
                    params.range().contains(code),
                    "table '%s' has the entry %d, which is outside the codes [%d, %d]",
                    name,
                    code,
                    params.range().min(),
                    params.range().max());
        }
    }

    /** {@return the shape of a result of sliding windows} */
    static Shape slid(IntNode node, Window window, int channels, Shape image) {
        Window.Extent result =
                inNode(node, () -> window.over(new Window.Extent(image.size(1), image.size(2))));
        return inNode(node, () -> Shape.of(channels, result.height(), result.width()));
    }

    /** Requires that the mean of an image can be computed. */
    static void requireImageMean(IntNode node, TensorType input, QuantParams result) {
        int size = input.shape().size(1) * input.shape().size(2);
        inNode(node, () -> CodeMean.multiplier(input.codes(), result, size));
    }

    /** Requires accumulators that fit into int32, and multipliers that are finite. */
    static void requireComputable(
            IntNode node, WeightTensor weights, QuantParams input, Output output) {
        OverflowCertificate certificate = OverflowCertificate.of(weights, input);
        boolean wide = node instanceof Weighted weighted && weighted.isWide(input);
        Require.argument(
                wide ? certificate.fitsFloat64() : certificate.fitsInt32(),
                "node '%s': the accumulator of channel %d can reach [%d, %d], which %s cannot"
                        + " hold; use fewer bits, or a smaller bias",
                node.name(),
                certificate.channel(),
                certificate.lowest(),
                certificate.highest(),
                wide ? "float64" : "int32");
        if (wide) {
            requirePlanes(node, weights);
        }
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

    /** {@return the inputs of a node: codes, and a mask if it has one} */
    static List<String> withMask(String codes, Optional<String> mask) {
        return mask.map(name -> List.of(codes, name)).orElse(List.of(codes));
    }

    /* Codes of 16 bits are multiplied as pairs of bytes, whose products are added in int32. */
    private static void requirePlanes(IntNode node, WeightTensor weights) {
        int length = weights.weightsPerChannel();
        int most = 0xff * (weights.range().isWide() ? 0xff : Byte.MAX_VALUE);
        Require.argument(
                (long) length * most <= Integer.MAX_VALUE,
                "node '%s' multiplies codes of 16 bits by %d weights for each result; their bytes"
                        + " can be added in int32 up to %d, so give it at most 8 bits",
                node.name(),
                length,
                Integer.MAX_VALUE / most);
    }

    /** {@return the value, with the name of the node in the message of what is refused} */
    @CanIgnoreReturnValue
    static <T> T inNode(IntNode node, Supplier<T> check) {
        try {
            return check.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("node '" + node.name() + "': " + e.getMessage(), e);
        }
    }

    /** {@return the params of codes; null for float32 values} */
    static @Nullable QuantParams paramsOf(Output output) {
        return output instanceof Output.Codes codes ? codes.params() : null;
    }
}
