// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationHardSigmoid;
import org.nd4j.linalg.activations.impl.ActivationHardTanH;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftPlus;
import org.nd4j.linalg.activations.impl.ActivationSoftSign;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.activations.impl.ActivationTanH;

/**
 * What becomes of a DL4J activation function in the integer graph: a clamp of codes, or a table.
 *
 * @param function the function of a table; null for a clamp
 * @param alpha the function's slope or height of the negative side; 0 without one
 * @param least the clamp's lower value, or negative infinity
 * @param most the clamp's upper value, or positive infinity
 */
public record PointwiseActivation(
        @Nullable ElementwiseFunction function, double alpha, double least, double most) {

    private static final double INFINITY = Double.POSITIVE_INFINITY;
    private static final double RELU6_CEILING = 6;

    /** No change at all. */
    public static final PointwiseActivation IDENTITY = clamp(-INFINITY, INFINITY);

    /** Negative values become 0. */
    public static final PointwiseActivation RELU = clamp(0, INFINITY);

    /** Values are clamped to [0, 6]. */
    public static final PointwiseActivation RELU6 = clamp(0, RELU6_CEILING);

    private static PointwiseActivation clamp(double least, double most) {
        return new PointwiseActivation(null, 0, least, most);
    }

    private static PointwiseActivation table(ElementwiseFunction function, double alpha) {
        return new PointwiseActivation(function, alpha, -INFINITY, INFINITY);
    }

    /**
     * {@return what becomes of the function; empty if the integer graph has nothing like it}
     *
     * @param activation a DL4J activation function
     */
    public static Optional<PointwiseActivation> of(IActivation activation) {
        if (activation instanceof ActivationIdentity) {
            return Optional.of(IDENTITY);
        }
        if (activation instanceof ActivationReLU) {
            return Optional.of(RELU);
        }
        if (activation instanceof ActivationReLU6) {
            return Optional.of(RELU6);
        }
        return tableOf(activation);
    }

    /**
     * {@return what becomes of the function that follows a layer's arithmetic; empty if the integer
     * graph has no such layer or function}
     *
     * @param layer the layer's configuration
     * @param merged the function of an activation layer that is joined with it; null if it has only
     *     its own
     */
    public static Optional<PointwiseActivation> behind(Layer layer, @Nullable IActivation merged) {
        boolean known =
                layer instanceof ActivationLayer
                        || (InnerLayer.separatesActivation(layer)
                                && IntegerPath.hasIntegerArithmetic(layer));
        return known ? of(InnerLayer.separateActivation(layer, merged)) : Optional.empty();
    }

    private static Optional<PointwiseActivation> tableOf(IActivation activation) {
        if (activation instanceof ActivationLReLU leaky) {
            return Optional.of(table(ElementwiseFunction.LEAKY_RELU, leaky.getAlpha()));
        }
        if (activation instanceof ActivationELU elu) {
            return Optional.of(table(ElementwiseFunction.ELU, elu.getAlpha()));
        }
        if (activation instanceof ActivationGELU gelu) {
            return Optional.of(
                    table(
                            gelu.isPrecise()
                                    ? ElementwiseFunction.GELU
                                    : ElementwiseFunction.GELU_SIGMOID,
                            0));
        }
        ElementwiseFunction function = plainFunction(activation);
        return function == null ? Optional.empty() : Optional.of(table(function, 0));
    }

    private static @Nullable ElementwiseFunction plainFunction(IActivation activation) {
        if (activation instanceof ActivationSigmoid) {
            return ElementwiseFunction.SIGMOID;
        }
        if (activation instanceof ActivationTanH) {
            return ElementwiseFunction.TANH;
        }
        if (activation instanceof ActivationHardSigmoid) {
            return ElementwiseFunction.HARD_SIGMOID;
        }
        if (activation instanceof ActivationHardTanH) {
            return ElementwiseFunction.HARD_TANH;
        }
        if (activation instanceof ActivationSwish) {
            return ElementwiseFunction.SWISH;
        }
        if (activation instanceof ActivationSoftPlus) {
            return ElementwiseFunction.SOFTPLUS;
        }
        return activation instanceof ActivationSoftSign ? ElementwiseFunction.SOFTSIGN : null;
    }

    /** {@return whether the function is a clamp of codes, the identity being one without bounds} */
    public boolean isClamp() {
        return function == null;
    }

    /** {@return whether the function's values are never negative} */
    public boolean nonNegative() {
        return function == null
                ? least >= 0
                : function == ElementwiseFunction.SIGMOID
                        || function == ElementwiseFunction.HARD_SIGMOID
                        || function == ElementwiseFunction.SOFTPLUS;
    }

    /**
     * {@return the codes that a clamp leaves of a result's codes}
     *
     * @param output how the result's codes stand for values
     */
    public CodeRange bounds(QuantParams output) {
        CodeRange range = output.range();
        int low = least == -INFINITY ? range.min() : output.quantize((float) least);
        int high = most == INFINITY ? range.max() : output.quantize((float) most);
        // A scale so coarse that both ends are one code: a range has two codes at least.
        if (low >= high) {
            return low < range.max() ? new CodeRange(low, low + 1) : new CodeRange(low - 1, low);
        }
        return new CodeRange(low, high);
    }

    /**
     * {@return the function as a table of codes}
     *
     * @param input how the codes before it stand for values
     * @param output how the codes behind it stand for values
     * @throws NullPointerException if the function is a clamp
     */
    public CodeTable toTable(QuantParams input, QuantParams output) {
        ElementwiseFunction applied = Objects.requireNonNull(function, "function");
        return CodeTable.from(value -> applied.apply(value, alpha), input, output);
    }
}
