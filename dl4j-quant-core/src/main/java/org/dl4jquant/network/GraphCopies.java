// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * Copies of computation graphs that are what was copied. DL4J's {@code clone} of some vertices
 * forgets settings: an {@code AttentionVertex} its updater, regularization and gradient
 * normalization, a {@code ReshapeVertex} its order and the shape of its mask, a {@code MergeVertex}
 * its axis.
 */
public final class GraphCopies {

    private GraphCopies() {}

    /**
     * {@return a copy of a network without its listeners and its updater's state}
     *
     * @param network an initialized network; not changed
     * @param type the data type of the copy
     */
    public static ComputationGraph of(ComputationGraph network, DataType type) {
        Require.given(network, "network");
        Require.given(type, "type");
        ComputationGraphConfiguration conf = network.getConfiguration().clone();
        Map<String, GraphVertex> vertices = new LinkedHashMap<>();
        network.getConfiguration()
                .getVertices()
                .forEach((name, vertex) -> vertices.put(name, of(vertex)));
        conf.setVertices(vertices);
        conf.setDataType(type);
        ComputationGraph copy = new ComputationGraph(conf);
        copy.init(network.params().castTo(type).dup(), false);
        return copy;
    }

    /**
     * {@return a copy of a vertex: DL4J's clone if that says the same in JSON, else the vertex read
     * from its JSON; the clone in any case of what has no JSON, such as a user's own lambda}
     *
     * @param vertex a vertex's configuration; not changed
     */
    public static GraphVertex of(GraphVertex vertex) {
        Require.given(vertex, "vertex");
        GraphVertex clone = vertex.clone();
        String wanted = json(vertex);
        if (wanted == null || wanted.equals(json(clone))) {
            return clone;
        }
        GraphVertex read = read(wanted);
        return read != null && wanted.equals(json(read)) ? read : clone;
    }

    private static ObjectMapper mapper() {
        return NeuralNetConfiguration.mapper();
    }

    private static @Nullable String json(GraphVertex vertex) {
        try {
            return mapper().writeValueAsString(vertex);
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    private static @Nullable GraphVertex read(String json) {
        try {
            return mapper().readValue(json, GraphVertex.class);
        } catch (JsonProcessingException e) {
            return null;
        }
    }
}
