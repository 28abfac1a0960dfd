// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.memory.LayerMemoryReport;
import org.deeplearning4j.nn.conf.memory.MemoryReport;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.StrictScalars;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * Scaled dot-product attention of three tensors of codes, queries, keys and values, whose result
 * another layer rounds. The layers before it project them, each for all heads at once: example,
 * feature, step, the features of one head after those of another.
 *
 * <p>In training its products and its softmax are in float, and the probabilities that weigh the
 * values are rounded to 8 bits. In inference it returns the values of the codes that an engine
 * computes from the inputs' codes, in the codes of the layer after it, which then finds nothing
 * left to round. {@code prepare} makes it of DL4J's {@link AttentionVertex}; in a model file it is
 * found under this class's name.
 */
@JsonAutoDetect(
        fieldVisibility = JsonAutoDetect.Visibility.ANY,
        getterVisibility = JsonAutoDetect.Visibility.NONE,
        isGetterVisibility = JsonAutoDetect.Visibility.NONE,
        setterVisibility = JsonAutoDetect.Visibility.NONE)
public final class QuantizedAttentionVertex extends GraphVertex implements CodeJoint {

    private static final long serialVersionUID = 1L;

    /** Queries, keys and values. */
    private static final int INPUTS = 3;

    private final int heads;
    private final @Nullable String queries;
    private final @Nullable String keys;
    private final @Nullable String values;
    private final @Nullable String result;

    /**
     * Names the layers whose codes are multiplied, and the one whose codes the result has. Without
     * all four it computes in float.
     *
     * @param heads the number of heads, which divides the features of each input
     * @param queries the layer that made the codes of the queries; null if they are no codes
     * @param keys the layer that made the codes of the keys; null if they are no codes
     * @param values the layer that made the codes of the values; null if they are no codes
     * @param result the layer after it, which rounds its result; null if none does
     */
    public QuantizedAttentionVertex(
            @JsonProperty("heads") @JsonDeserialize(using = StrictScalars.OfInt.class) int heads,
            @JsonProperty("queries") @JsonDeserialize(using = StrictScalars.OfText.class)
                    @Nullable String queries,
            @JsonProperty("keys") @JsonDeserialize(using = StrictScalars.OfText.class)
                    @Nullable String keys,
            @JsonProperty("values") @JsonDeserialize(using = StrictScalars.OfText.class)
                    @Nullable String values,
            @JsonProperty("result") @JsonDeserialize(using = StrictScalars.OfText.class)
                    @Nullable String result) {
        Require.argument(heads > 0, "an attention has %d heads; it needs one or more", heads);
        this.heads = heads;
        this.queries = queries;
        this.keys = keys;
        this.values = values;
        this.result = result;
    }

    /** {@return the number of heads} */
    public int heads() {
        return heads;
    }

    @Override
    public List<String> sources() {
        return queries == null || keys == null || values == null || result == null
                ? List.of()
                : List.of(queries, keys, values);
    }

    /** {@return the layer after the vertex, which rounds its result; null if none does} */
    @Nullable String result() {
        return result;
    }

    @Override
    public AttentionVertex inFloat() {
        return inFloat(heads);
    }

    /**
     * Returns DL4J's description of such a vertex, which has no projections. DL4J itself computes
     * it with one head only.
     *
     * @param heads the number of heads
     * @return the description
     */
    public static AttentionVertex inFloat(int heads) {
        AttentionVertex vertex = new AttentionVertex();
        vertex.setProjectInput(false);
        vertex.setNHeads(heads);
        return vertex;
    }

    /** For JSON, which has no version today: that is the first one. */
    @JsonProperty(value = LayerVersion.NAME, access = JsonProperty.Access.WRITE_ONLY)
    @JsonDeserialize(using = StrictScalars.OfInt.class)
    void setVersion(int version) {
        LayerVersion.require(QuantizedAttentionVertex.class, version);
    }

    @Override
    public long numParams(boolean backprop) {
        return 0;
    }

    @Override
    public int minVertexInputs() {
        return INPUTS;
    }

    @Override
    public int maxVertexInputs() {
        return INPUTS;
    }

    @Override
    public org.deeplearning4j.nn.graph.vertex.GraphVertex instantiate(
            ComputationGraph graph,
            String name,
            int index,
            INDArray parameters,
            boolean initialize,
            DataType type) {
        return new QuantizedAttentionRuntime(this, graph, name, index, type);
    }

    @Override
    public InputType getOutputType(int layerIndex, InputType... vertexInputs) {
        InputType.InputTypeRecurrent first = (InputType.InputTypeRecurrent) vertexInputs[0];
        InputType.InputTypeRecurrent last = (InputType.InputTypeRecurrent) vertexInputs[2];
        return InputType.recurrent(last.getSize(), first.getTimeSeriesLength());
    }

    @Override
    public MemoryReport getMemoryReport(InputType... inputTypes) {
        return new LayerMemoryReport.Builder(
                        null,
                        QuantizedAttentionVertex.class,
                        inputTypes[0],
                        getOutputType(-1, inputTypes))
                .standardMemory(0, 0)
                .workingMemory(0, 0, 0, 0)
                .cacheMemory(0, 0)
                .build();
    }

    @Override
    public QuantizedAttentionVertex clone() {
        return new QuantizedAttentionVertex(heads, queries, keys, values, result);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuantizedAttentionVertex that
                && heads == that.heads
                && Objects.equals(queries, that.queries)
                && Objects.equals(keys, that.keys)
                && Objects.equals(values, that.values)
                && Objects.equals(result, that.result);
    }

    @Override
    public int hashCode() {
        return Objects.hash(heads, queries, keys, values, result);
    }

    @Override
    public String toString() {
        return "QuantizedAttentionVertex("
                + heads
                + " heads, "
                + queries
                + ", "
                + keys
                + ", "
                + values
                + " as "
                + result
                + ")";
    }
}
