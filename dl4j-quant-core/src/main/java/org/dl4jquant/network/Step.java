// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.List;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * One layer, vertex or preprocessor of a DL4J network of either kind, without the wrappers that
 * freeze it: what is inside computes as before. Wrappers of other kinds stay.
 *
 * @param name the name by which the network's other steps read it
 * @param configuration the configuration inside the wrappers that freeze: a {@link Layer}, a {@link
 *     GraphVertex} that is no layer, or an {@link InputPreProcessor}
 * @param frozen whether its parameters do not learn
 * @param inputs the names of the steps or network inputs that it reads
 * @param preprocessor the preprocessor between its input and itself; null without
 */
public record Step(
        String name,
        Object configuration,
        boolean frozen,
        List<String> inputs,
        @Nullable InputPreProcessor preprocessor)
        implements Topology.Node {

    /**
     * Checks the step.
     *
     * @throws IllegalArgumentException if the configuration is a wrapper that freezes, or no layer,
     *     vertex or preprocessor
     */
    public Step {
        Require.given(name, "name");
        Require.given(configuration, "configuration");
        Require.argument(
                (configuration instanceof Layer layer && !Frozen.is(layer))
                        || isPlain(configuration)
                        || configuration instanceof InputPreProcessor,
                "step '%s' is a %s; a step is a layer, a vertex or a preprocessor without the"
                        + " wrappers that freeze it",
                name,
                configuration.getClass().getName());
        inputs = List.copyOf(Require.given(inputs, "inputs"));
    }

    private static boolean isPlain(Object configuration) {
        return configuration instanceof GraphVertex
                && !(configuration instanceof FrozenVertex || configuration instanceof LayerVertex);
    }

    /**
     * Returns the step of a layer.
     *
     * @param name its name
     * @param layer its configuration, frozen or not
     * @param inputs the names of the steps or network inputs that it reads
     * @param preprocessor the preprocessor between its input and itself; null without
     * @return the step
     */
    public static Step of(
            String name,
            Layer layer,
            List<String> inputs,
            @Nullable InputPreProcessor preprocessor) {
        Require.given(layer, "layer");
        return new Step(name, Frozen.inside(layer), Frozen.is(layer), inputs, preprocessor);
    }

    /**
     * Returns the step of a graph's vertex.
     *
     * @param name its name
     * @param vertex its configuration: a layer, with its preprocessor, or another vertex, frozen or
     *     not
     * @param inputs the names of the steps or network inputs that it reads
     * @return the step
     */
    public static Step of(String name, GraphVertex vertex, List<String> inputs) {
        GraphVertex inside = Frozen.inside(Require.given(vertex, "vertex"));
        boolean frozen = vertex instanceof FrozenVertex;
        if (inside instanceof LayerVertex of) {
            Layer layer = of.getLayerConf().getLayer();
            return new Step(
                    name,
                    Frozen.inside(layer),
                    frozen || Frozen.is(layer),
                    inputs,
                    of.getPreProcessor());
        }
        return new Step(name, inside, frozen, inputs, null);
    }

    /**
     * Returns the step of a preprocessor that stands alone.
     *
     * @param name its name
     * @param preprocessor the preprocessor
     * @param input the name of the step or network input that it reads
     * @return the step
     */
    public static Step of(String name, InputPreProcessor preprocessor, String input) {
        Require.given(preprocessor, "preprocessor");
        return new Step(name, preprocessor, false, List.of(Require.given(input, "input")), null);
    }

    /**
     * Returns the layer's configuration without the wrappers that freeze it.
     *
     * @return the configuration; null if the step is no layer
     */
    public @Nullable Layer layer() {
        return configuration instanceof Layer layer ? layer : null;
    }

    /**
     * Returns the configuration of a vertex that is no layer, without the wrappers that freeze it.
     *
     * @return the configuration; null if the step is no such vertex
     */
    public @Nullable GraphVertex vertex() {
        return configuration instanceof GraphVertex vertex ? vertex : null;
    }

    /**
     * Returns the preprocessor between the step's input and the step, as a step of its own.
     *
     * @return a step that has the same name and reads the same input; null without a preprocessor
     */
    public @Nullable Step before() {
        return preprocessor == null ? null : new Step(name, preprocessor, false, inputs, null);
    }

    /**
     * Returns this step with another configuration, such as the layer inside a wrapper that its
     * reader looks through.
     *
     * @param inside a layer, a vertex that is no layer or a preprocessor, none of them frozen
     * @return a step of the same name, place and inputs
     */
    public Step with(Object inside) {
        return new Step(name, inside, frozen, inputs, preprocessor);
    }

    /**
     * Returns this step with other inputs.
     *
     * @param others the names of the steps or network inputs that it shall read
     * @return a step of the same name and configuration
     */
    public Step reading(List<String> others) {
        return new Step(name, configuration, frozen, others, preprocessor);
    }

    /**
     * Returns the simple name of the configuration's class.
     *
     * @return the name; of an anonymous class the last part of its binary name
     */
    public String type() {
        return typeOf(configuration);
    }

    /**
     * Returns the simple name of a configuration's class.
     *
     * @param configuration a layer's, vertex's or preprocessor's configuration
     * @return the name; of an anonymous class the last part of its binary name
     */
    public static String typeOf(Object configuration) {
        Class<?> type = Require.given(configuration, "configuration").getClass();
        String full = type.getName();
        String simple = type.getSimpleName();
        return simple.isEmpty() ? full.substring(full.lastIndexOf('.') + 1) : simple;
    }
}
