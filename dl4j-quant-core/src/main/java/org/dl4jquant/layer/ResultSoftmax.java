// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.dl4jquant.layer.integer.OutputFunctions;
import org.dl4jquant.layer.integer.ResultFunction;
import org.dl4jquant.scheme.StrictScalars;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * The softmax of a network's last layer that is not wrapped, as {@link ResultActivation}; a class
 * of its own, because DL4J's losses compute otherwise if the function is an {@link
 * ActivationSoftmax}.
 *
 * <p>{@code prepare} makes it; in a model file it is found under this class's name.
 */
public final class ResultSoftmax extends ActivationSoftmax implements ResultFunction {

    private static final long serialVersionUID = 1L;

    /** For model files. */
    public ResultSoftmax() {}

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(ResultSoftmax.class, version);
    }

    @Override
    public IActivation function() {
        return new ActivationSoftmax();
    }

    @Override
    public INDArray getActivation(INDArray in, boolean training) {
        return training
                ? super.getActivation(in, true)
                : OutputFunctions.inferApart(function(), in);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ResultSoftmax;
    }

    @Override
    public int hashCode() {
        return ResultSoftmax.class.hashCode();
    }
}
