// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.integer.IntegerForm;
import org.dl4jquant.layer.integer.LayerTensors;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * A vertex that combines two tensors of codes, whose result another layer rounds, and in inference
 * returns the values of the codes that an engine computes.
 */
public abstract sealed class QuantizedJoint extends ElementWiseVertex implements CodeJoint
        permits QuantizedAddVertex, QuantizedProductVertex {

    @JsonProperty("left")
    private final String left;

    @JsonProperty("right")
    private final String right;

    @JsonProperty("result")
    private final String result;

    QuantizedJoint(Op op, String left, String right, String result) {
        super(op);
        this.left = Objects.requireNonNull(left, "left");
        this.right = Objects.requireNonNull(right, "right");
        this.result = Objects.requireNonNull(result, "result");
    }

    /** {@return the layer that made the codes of the first input} */
    public String left() {
        return left;
    }

    /** {@return the layer that made the codes of the second input} */
    public String right() {
        return right;
    }

    @Override
    public List<String> sources() {
        return List.of(left, right);
    }

    @Override
    public ElementWiseVertex inFloat() {
        return new ElementWiseVertex(getOp());
    }

    /** {@return the layer after the vertex, which rounds its result} */
    String result() {
        return result;
    }

    /** {@return the operation that the class stands for} */
    abstract Op expected();

    /** {@return the arithmetic of the running vertex} */
    abstract IntegerForm form(LayerTensors tensors);

    @Override
    public int maxVertexInputs() {
        return 2;
    }

    @Override
    public GraphVertex instantiate(
            ComputationGraph graph,
            String name,
            int index,
            INDArray parameters,
            boolean initialize,
            DataType type) {
        Require.argument(
                getOp() == expected(),
                "vertex '%s' is of kind %s, not %s",
                name,
                getOp(),
                expected());
        return new QuantizedJointRuntime(this, graph, name, index, type);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuantizedJoint that
                && getClass() == that.getClass()
                && left.equals(that.left)
                && right.equals(that.right)
                && result.equals(that.result);
    }

    @Override
    public int hashCode() {
        return Objects.hash(left, right, result);
    }
}
