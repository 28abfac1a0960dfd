// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Objects;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.StrictScalars;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * The sum of two tensors of codes, whose result another layer rounds: a residual connection of a
 * quantized network.
 *
 * <p>In training it is DL4J's own addition. In inference it returns the values of the codes that an
 * engine computes from the inputs' codes, {@link org.dl4jquant.numeric.CodeSum}, in the codes of
 * the layer after it, which then finds nothing left to round. {@code prepare} makes it; in a model
 * file it is found under this class's name.
 */
public final class QuantizedAddVertex extends ElementWiseVertex {

    @JsonProperty("left")
    private final String left;

    @JsonProperty("right")
    private final String right;

    @JsonProperty("result")
    private final String result;

    /**
     * Names the layers whose codes are added, and the one whose codes the result has.
     *
     * @param left the layer that made the codes of the first input
     * @param right the layer that made the codes of the second input
     * @param result the layer after the sum, which rounds it
     */
    public QuantizedAddVertex(
            @JsonProperty("left") @JsonDeserialize(using = StrictScalars.OfText.class) String left,
            @JsonProperty("right") @JsonDeserialize(using = StrictScalars.OfText.class)
                    String right,
            @JsonProperty("result") @JsonDeserialize(using = StrictScalars.OfText.class)
                    String result) {
        super(Op.Add);
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

    /** {@return the layer after the sum, which rounds it} */
    String result() {
        return result;
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(QuantizedAddVertex.class, version);
    }

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
        Require.argument(getOp() == Op.Add, "vertex '%s' is of kind %s, not Add", name, getOp());
        return new QuantizedAddRuntime(this, graph, name, index, type);
    }

    @Override
    public QuantizedAddVertex clone() {
        return new QuantizedAddVertex(left, right, result);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof QuantizedAddVertex that
                && left.equals(that.left)
                && right.equals(that.right)
                && result.equals(that.result);
    }

    @Override
    public int hashCode() {
        return Objects.hash(left, right, result);
    }

    @Override
    public String toString() {
        return "QuantizedAddVertex(" + left + " + " + right + " as " + result + ")";
    }
}
