// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.jspecify.annotations.Nullable;

/**
 * What DL4J's configuration of a network says about one step; networks are put together from parts.
 *
 * @param name the step's name
 * @param inputs the names of the steps or network inputs that it reads
 * @param conf the configuration that holds the layer, with the wrappers that freeze it; null for a
 *     vertex that is no layer
 * @param vertex the vertex, with the wrappers that freeze it; of a layer its vertex before the
 *     edit, whose wrappers stay; null for a layer that has none yet
 * @param preprocessor the preprocessor between a layer's input and the layer; null without
 */
public record Part(
        String name,
        List<String> inputs,
        @Nullable NeuralNetConfiguration conf,
        @Nullable GraphVertex vertex,
        @Nullable InputPreProcessor preprocessor) {

    /** Copies the inputs. */
    public Part {
        inputs = List.copyOf(inputs);
    }

    /**
     * Returns the part of a new layer.
     *
     * @param name its name
     * @param inputs the one tensor that it reads
     * @param conf the configuration that holds the layer
     * @return a part without preprocessor
     */
    public static Part of(String name, List<String> inputs, NeuralNetConfiguration conf) {
        return new Part(name, inputs, conf, null, null);
    }

    /**
     * Returns this part with another configuration of its layer.
     *
     * @param other the configuration that holds the layer
     * @return the changed part
     */
    public Part with(NeuralNetConfiguration other) {
        return new Part(name, inputs, other, vertex, preprocessor);
    }

    /**
     * Returns this part with another vertex that is no layer.
     *
     * @param other the vertex, with the wrappers that freeze it
     * @return the changed part
     */
    public Part with(GraphVertex other) {
        return new Part(name, inputs, null, other, null);
    }

    /**
     * Returns this part with another preprocessor.
     *
     * @param other the preprocessor between the input and the layer; null for none
     * @return the changed part
     */
    public Part with(@Nullable InputPreProcessor other) {
        return new Part(name, inputs, conf, vertex, other);
    }

    /**
     * Returns this part with other inputs.
     *
     * @param others the names of the steps or network inputs that it shall read
     * @return the changed part
     */
    public Part reading(List<String> others) {
        return new Part(name, others, conf, vertex, preprocessor);
    }

    /** {@return this part without the wrappers that freeze it} */
    Part unfrozen() {
        NeuralNetConfiguration thawed = conf == null ? null : conf.clone();
        if (thawed != null) {
            thawed.setLayer(Frozen.inside(thawed.getLayer()));
            thawed.clearVariables();
        }
        return new Part(
                name, inputs, thawed, vertex == null ? null : Frozen.inside(vertex), preprocessor);
    }

    /**
     * Returns the layer.
     *
     * @return its configuration with the wrappers that freeze it; null for a vertex that is no
     *     layer
     */
    public @Nullable Layer layer() {
        return conf == null ? null : conf.getLayer();
    }

    /** {@return the vertex of a ComputationGraph} */
    GraphVertex graphVertex() {
        if (conf == null) {
            return Objects.requireNonNull(vertex, name);
        }
        LayerVertex made = new LayerVertex(conf, preprocessor);
        if (vertex == null) {
            return made;
        }
        if (Frozen.inside(vertex) instanceof LayerVertex before) {
            made.setOutputVertex(before.isOutputVertex());
        }
        return Frozen.like(/* model= */ vertex, /* vertex= */ made);
    }
}
