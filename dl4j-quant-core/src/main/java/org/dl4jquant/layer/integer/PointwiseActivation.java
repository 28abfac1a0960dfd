// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.ElementwiseFunction.Elu;
import org.dl4jquant.numeric.ElementwiseFunction.Fixed;
import org.dl4jquant.numeric.ElementwiseFunction.PiecewiseLinear;
import org.dl4jquant.numeric.ElementwiseFunction.ThresholdedRelu;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationCube;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationHardSigmoid;
import org.nd4j.linalg.activations.impl.ActivationHardTanH;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationMish;
import org.nd4j.linalg.activations.impl.ActivationRationalTanh;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.activations.impl.ActivationRectifiedTanh;
import org.nd4j.linalg.activations.impl.ActivationSELU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftPlus;
import org.nd4j.linalg.activations.impl.ActivationSoftSign;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.activations.impl.ActivationThresholdedReLU;

/**
 * The integer form of a DL4J activation function: a clamp of codes, or a table.
 *
 * <p>A function is known by its exact class and all its parameters; a subclass may compute
 * anything.
 *
 * @param function the function of a table; null for a clamp
 * @param least the clamp's lower value, or negative infinity
 * @param most the clamp's upper value, or positive infinity
 */
public record PointwiseActivation(
        @Nullable ElementwiseFunction function, double least, double most) {

    /* Not known: RReLU draws its slope in training and is another function in inference, the PReLU
     * function has a slope for each element, and softmax is no function of one element. */

    private static final double INFINITY = Double.POSITIVE_INFINITY;
    private static final double RELU6_CEILING = 6;

    private static final Map<Class<?>, ElementwiseFunction> WITHOUT_PARAMETERS =
            Map.ofEntries(
                    Map.entry(ActivationCube.class, Fixed.CUBE),
                    Map.entry(ActivationHardSigmoid.class, Fixed.HARD_SIGMOID),
                    Map.entry(ActivationHardTanH.class, Fixed.HARD_TANH),
                    Map.entry(ActivationMish.class, Fixed.MISH),
                    Map.entry(ActivationRationalTanh.class, Fixed.RATIONAL_TANH),
                    Map.entry(ActivationRectifiedTanh.class, Fixed.RECTIFIED_TANH),
                    Map.entry(ActivationSELU.class, Fixed.SELU),
                    Map.entry(ActivationSigmoid.class, Fixed.SIGMOID),
                    Map.entry(ActivationSoftPlus.class, Fixed.SOFTPLUS),
                    Map.entry(ActivationSoftSign.class, Fixed.SOFTSIGN),
                    Map.entry(ActivationSwish.class, Fixed.SWISH),
                    Map.entry(ActivationTanH.class, Fixed.TANH));

    /** No change at all. */
    public static final PointwiseActivation IDENTITY = clamp(-INFINITY, INFINITY);

    /** Negative values become 0. */
    public static final PointwiseActivation RELU = clamp(0, INFINITY);

    /** Values are clamped to [0, 6]. */
    public static final PointwiseActivation RELU6 = clamp(0, RELU6_CEILING);

    private static PointwiseActivation clamp(double least, double most) {
        return new PointwiseActivation(null, least, most);
    }

    private static PointwiseActivation table(ElementwiseFunction function) {
        return function instanceof PiecewiseLinear linear && linear.isClamp()
                ? clamp(0, linear.max())
                : new PointwiseActivation(function, -INFINITY, INFINITY);
    }

    /**
     * {@return the integer form of the function; empty if the integer graph has nothing like it}
     *
     * @param activation a DL4J activation function
     */
    public static Optional<PointwiseActivation> of(IActivation activation) {
        Class<?> type = Require.given(activation, "activation").getClass();
        if (activation instanceof ResultFunction result) {
            return of(result.function());
        }
        if (type == ActivationIdentity.class) {
            return Optional.of(IDENTITY);
        }
        if (type == ActivationReLU6.class) {
            return Optional.of(RELU6);
        }
        return Optional.ofNullable(function(activation, type)).map(PointwiseActivation::table);
    }

    /**
     * {@return whether the function changes nothing, for certain}
     *
     * @param activation a DL4J activation function
     */
    public static boolean isIdentity(IActivation activation) {
        return Require.given(activation, "activation").getClass() == ActivationIdentity.class;
    }

    private static @Nullable ElementwiseFunction function(IActivation activation, Class<?> type) {
        if (type == ActivationReLU.class) {
            ActivationReLU relu = (ActivationReLU) activation;
            return new PiecewiseLinear(
                    or(relu.getMax(), INFINITY),
                    (float) or(relu.getThreshold(), 0),
                    or(relu.getNegativeSlope(), 0));
        }
        if (type == ActivationLReLU.class) {
            return new PiecewiseLinear(INFINITY, 0, ((ActivationLReLU) activation).getAlpha());
        }
        if (type == ActivationThresholdedReLU.class) {
            return new ThresholdedRelu((float) ((ActivationThresholdedReLU) activation).getTheta());
        }
        if (type == ActivationELU.class) {
            return new Elu(((ActivationELU) activation).getAlpha());
        }
        if (type == ActivationGELU.class) {
            return ((ActivationGELU) activation).isPrecise() ? Fixed.GELU : Fixed.GELU_SIGMOID;
        }
        return WITHOUT_PARAMETERS.get(type);
    }

    private static double or(@Nullable Double given, double otherwise) {
        return given == null ? otherwise : given;
    }

    /** {@return whether the function is a clamp of codes, the identity being one without bounds} */
    public boolean isClamp() {
        return function == null;
    }

    /** {@return the function as one of elements, whether engines know it as a clamp or a table} */
    public ElementwiseFunction elementwise() {
        if (function != null) {
            return function;
        }
        return least == 0 ? new PiecewiseLinear(most, 0, 0) : Fixed.IDENTITY;
    }

    /** {@return whether the function's values are never negative} */
    public boolean nonNegative() {
        return function == null ? least >= 0 : function.nonNegative();
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
     * {@return the function's value, in float64 and rounded once; clamps are left to {@link
     * #bounds}}
     *
     * @param value the argument
     */
    float apply(float value) {
        return function == null ? value : (float) function.apply(value);
    }

    /** {@return the function of values} */
    DoubleUnaryOperator values() {
        ElementwiseFunction applied = function;
        return applied == null ? value -> Math.min(Math.max(value, least), most) : applied::apply;
    }

    /**
     * {@return the function as a table of codes}
     *
     * @param input how the codes before it stand for values
     * @param output how the codes after it stand for values
     * @throws NullPointerException if the function is a clamp
     */
    public CodeTable toTable(QuantParams input, QuantParams output) {
        ElementwiseFunction applied = Objects.requireNonNull(function, "function");
        return CodeTable.from(applied::apply, input, output);
    }
}
