// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationHardTanH;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's activation functions of float32 results, in the definition that engines use, too. */
public final class OutputFunctions {

    private static final float INFINITY = Float.POSITIVE_INFINITY;

    private OutputFunctions() {}

    /**
     * {@return the functions that an activation function of inference is, in order, none for the
     * identity; empty if there is no definition of it}
     *
     * @param activation a DL4J activation function
     * @param axis the axis of one example that a softmax goes along
     */
    public static Optional<List<OutputFunction>> of(IActivation activation, int axis) {
        Class<?> type = Require.given(activation, "activation").getClass();
        if (activation instanceof ResultFunction result) {
            return of(result.function(), axis);
        }
        if (type == ActivationSoftmax.class) {
            return one(new OutputFunction.Softmax(axis));
        }
        if (type == ActivationHardTanH.class) {
            return one(new OutputFunction.Clamp(-1, 1));
        }
        return PointwiseActivation.of(activation).map(OutputFunctions::of);
    }

    /**
     * {@return whether the network computes an activation function otherwise than engines do,
     * although they have a definition of it: it is DL4J's own, not a {@link ResultFunction}}
     *
     * @param activation an activation function
     */
    public static boolean isUnprepared(IActivation activation) {
        return !(activation instanceof ResultFunction)
                && of(activation, 0).filter(all -> !all.isEmpty()).isPresent();
    }

    /**
     * {@return whether an activation function of float32 results can only end a network: it is no
     * clamp or slope, which all runtimes compute alike}
     *
     * @param activation a DL4J activation function
     */
    public static boolean endsNetworks(IActivation activation) {
        return of(activation, 0)
                .filter(all -> all.stream().allMatch(OutputFunction.Rectifier.class::isInstance))
                .isEmpty();
    }

    private static Optional<List<OutputFunction>> one(OutputFunction function) {
        return Optional.of(List.of(function));
    }

    private static List<OutputFunction> of(PointwiseActivation known) {
        ElementwiseFunction function = known.function();
        if (function == null) {
            return known.equals(PointwiseActivation.IDENTITY)
                    ? List.of()
                    : List.of(
                            new OutputFunction.Clamp((float) known.least(), (float) known.most()));
        }
        return function instanceof ElementwiseFunction.PiecewiseLinear linear
                ? rectified(linear)
                : List.of(new OutputFunction.Pointwise(function));
    }

    private static List<OutputFunction> rectified(ElementwiseFunction.PiecewiseLinear linear) {
        OutputFunction slope = new OutputFunction.Slope(linear.threshold(), (float) linear.slope());
        return linear.max() == INFINITY
                ? List.of(slope)
                : List.of(slope, new OutputFunction.Clamp(-INFINITY, (float) linear.max()));
    }

    /**
     * Applies an activation function in inference: in the definition that engines use if there is
     * one, else as DL4J does.
     *
     * @param activation the function
     * @param values examples along dimension 0; perhaps changed
     * @return the function's values: {@code values}, or another array
     */
    public static INDArray infer(IActivation activation, INDArray values) {
        Require.given(activation, "activation");
        int rank = Require.given(values, "values").rank();
        Optional<List<OutputFunction>> functions =
                rank < 2 || values.dataType() != DataType.FLOAT
                        ? Optional.empty()
                        : of(activation, rank - 2); // DL4J's softmax goes along the last dimension
        if (functions.isEmpty()) {
            return FunctionOfNan.infer(activation, values);
        }
        if (!functions.get().isEmpty()) {
            applyInPlace(functions.get(), values);
        }
        return values;
    }

    /**
     * Applies an activation function in inference as {@link #infer}, and leaves values as they are
     * that others may hold.
     *
     * @param activation the function
     * @param values examples along dimension 0; changed only if they are in a workspace
     * @return the function's values, in the same workspace
     */
    public static INDArray inferApart(IActivation activation, INDArray values) {
        Require.given(activation, "activation");
        Require.given(values, "values");
        // DL4J's ActivationLayer passes its very input if that is detached, as outputs and what
        // feedForward returns are.
        return values.isAttached()
                ? infer(activation, values)
                : Detached.compute(() -> infer(activation, values.dup(values.ordering())));
    }

    /**
     * Applies functions in the definition that engines use.
     *
     * @param functions the functions, in order
     * @param values examples along dimension 0; changed
     */
    public static void applyInPlace(List<OutputFunction> functions, INDArray values) {
        Require.given(functions, "functions");
        Require.given(values, "values");
        List<Integer> sizes = new ArrayList<>();
        for (int axis = 1; axis < values.rank(); axis++) {
            sizes.add(Math.toIntExact(values.size(axis)));
        }
        Shape shape = new Shape(sizes);
        float[] elements = RowMajor.floats(values);
        int examples = Math.toIntExact(values.size(0));
        functions.forEach(function -> function.applyInPlace(elements, examples, shape));
        RowMajor.copyInto(elements, values);
    }
}
