// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.dl4jquant.scheme.StrictScalars;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * DL4J's element-wise maximum in a prepared network: the same, but that the maximum of values of
 * which one is NaN is NaN, as in {@link MaxPoolingLayer}.
 */
public final class MaximumVertex extends ElementWiseVertex {

    /** Makes a maximum of any number of inputs. */
    public MaximumVertex() {
        super(Op.Max);
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(MaximumVertex.class, version);
    }

    @Override
    public GraphVertex instantiate(
            ComputationGraph graph,
            String name,
            int index,
            INDArray parameters,
            boolean initialize,
            DataType type) {
        return new MaximumRuntime(graph, name, index, type);
    }

    @Override
    public MaximumVertex clone() {
        return new MaximumVertex();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MaximumVertex;
    }

    @Override
    public int hashCode() {
        return MaximumVertex.class.hashCode();
    }

    @Override
    public String toString() {
        return "MaximumVertex()";
    }
}
