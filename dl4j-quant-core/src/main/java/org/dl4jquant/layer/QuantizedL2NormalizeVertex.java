// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.StrictScalars;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * The division of each example's codes by their length, whose result another layer rounds.
 *
 * <p>In training it is DL4J's own vertex. In inference it returns the values of the codes that an
 * engine computes, {@link org.dl4jquant.numeric.Normalization}. {@code prepare} makes it; in a
 * model file it is found under this class's name.
 */
public final class QuantizedL2NormalizeVertex extends L2NormalizeVertex implements CodeJoint {

    @JsonProperty("source")
    private final String source;

    @JsonProperty("result")
    private final String result;

    /**
     * Names the layer whose codes are divided, and the one whose codes the result has.
     *
     * @param dimension the dimensions of the length, as DL4J has them; null for all of an example
     * @param eps the least length
     * @param source the layer that made the codes of the input
     * @param result the layer after the vertex, which rounds it
     */
    public QuantizedL2NormalizeVertex(
            @JsonProperty("dimension") int @Nullable [] dimension,
            @JsonProperty("eps") double eps,
            @JsonProperty("source") @JsonDeserialize(using = StrictScalars.OfText.class)
                    String source,
            @JsonProperty("result") @JsonDeserialize(using = StrictScalars.OfText.class)
                    String result) {
        super(dimension, eps);
        this.source = Objects.requireNonNull(source, "source");
        this.result = Objects.requireNonNull(result, "result");
    }

    /**
     * Returns the vertex of codes in the place of DL4J's.
     *
     * @param vertex DL4J's
     * @param source the layer that made the codes of the input
     * @param result the layer after the vertex, which rounds it
     * @return the vertex
     */
    public static QuantizedL2NormalizeVertex of(
            L2NormalizeVertex vertex, String source, String result) {
        Require.given(vertex, "vertex");
        return new QuantizedL2NormalizeVertex(
                vertex.getDimension(), vertex.getEps(), source, result);
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(QuantizedL2NormalizeVertex.class, version);
    }

    @Override
    public List<String> sources() {
        return List.of(source);
    }

    /** {@return the layer after the vertex, which rounds its result} */
    String result() {
        return result;
    }

    @Override
    public L2NormalizeVertex inFloat() {
        return new L2NormalizeVertex(dimension, eps);
    }

    @Override
    public GraphVertex instantiate(
            ComputationGraph graph,
            String name,
            int index,
            INDArray parameters,
            boolean initialize,
            DataType type) {
        return new QuantizedL2NormalizeRuntime(this, graph, name, index, type);
    }

    @Override
    public QuantizedL2NormalizeVertex clone() {
        return new QuantizedL2NormalizeVertex(dimension, eps, source, result);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuantizedL2NormalizeVertex that
                && inFloat().equals(that.inFloat())
                && source.equals(that.source)
                && result.equals(that.result);
    }

    @Override
    public int hashCode() {
        return Objects.hash(inFloat(), source, result);
    }

    @Override
    public String toString() {
        return "QuantizedL2NormalizeVertex(" + source + " as " + result + ")";
    }
}
