// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Objects;
import org.dl4jquant.layer.integer.OutputFunctions;
import org.dl4jquant.layer.integer.ResultFunction;
import org.dl4jquant.scheme.StrictScalars;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.BaseActivationFunction;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * The activation function of a network's last layers that are not wrapped, such as losses: in
 * training DL4J's own, in inference the definition that engines apply to their results, so that
 * {@code output} returns what they return, in every bit.
 *
 * <p>{@code prepare} makes it; in a model file it is found under this class's name.
 */
public final class ResultActivation extends BaseActivationFunction implements ResultFunction {

    private static final long serialVersionUID = 1L;

    @JsonProperty("function")
    private final IActivation function;

    /**
     * Takes DL4J's function.
     *
     * @param function the function that training computes with
     */
    public ResultActivation(@JsonProperty("function") IActivation function) {
        this.function = Objects.requireNonNull(function, "function");
    }

    /**
     * {@return the same function for the results of a network; the function itself if engines have
     * no definition of it}
     *
     * @param function an activation function
     */
    public static IActivation of(IActivation function) {
        if (function.getClass() == ActivationSoftmax.class) {
            return new ResultSoftmax();
        }
        boolean known =
                function.getClass() != ResultActivation.class
                        && function.getClass() != ResultSoftmax.class
                        && OutputFunctions.of(function, 0)
                                .filter(all -> !all.isEmpty())
                                .isPresent();
        return known ? new ResultActivation(function) : function;
    }

    /**
     * {@return whether {@link #of} returns another function, which engines compute alike}
     *
     * @param function an activation function
     */
    public static boolean replaces(IActivation function) {
        return OutputFunctions.isUnprepared(function);
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(ResultActivation.class, version);
    }

    @Override
    public IActivation function() {
        return function;
    }

    @Override
    public INDArray getActivation(INDArray in, boolean training) {
        return training
                ? function.getActivation(in, true)
                : OutputFunctions.inferApart(function, in);
    }

    @Override
    public Pair<INDArray, INDArray> backprop(INDArray in, INDArray epsilon) {
        return function.backprop(in, epsilon);
    }

    @Override
    public int numParams(int inputSize) {
        return function.numParams(inputSize);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ResultActivation that && function.equals(that.function);
    }

    @Override
    public int hashCode() {
        return function.hashCode();
    }

    @Override
    public String toString() {
        return function.toString();
    }
}
