// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.network.Frozen;
import org.dl4jquant.network.LayerNames;
import org.jspecify.annotations.Nullable;

/** A DL4J network of either kind as steps in the order of the forward pass. */
final class FloatNetwork {

    private final Map<String, Step> steps;
    private final Set<String> inputs;
    private final Set<String> outputs;

    FloatNetwork(Collection<Step> steps, Set<String> inputs, Set<String> outputs) {
        this.steps = new LinkedHashMap<>();
        steps.forEach(step -> this.steps.put(step.name(), step));
        this.inputs = Set.copyOf(inputs);
        this.outputs = Set.copyOf(outputs);
    }

    static FloatNetwork of(MultiLayerNetwork network) {
        MultiLayerConfiguration conf = network.getLayerWiseConfigurations();
        List<Step> steps = new ArrayList<>();
        List<String> names = LayerNames.of(conf);
        String input = LayerNames.input(names);
        String last = input;
        for (int i = 0; i < names.size(); i++) {
            Layer layer = conf.getConf(i).getLayer();
            String name = names.get(i);
            steps.add(Step.of(name, layer, null, List.of(last), conf.getInputPreProcess(i)));
            last = name;
        }
        return new FloatNetwork(steps, Set.of(input), Set.of(last));
    }

    static FloatNetwork of(ComputationGraph network) {
        ComputationGraphConfiguration conf = network.getConfiguration();
        List<Step> steps = new ArrayList<>();
        for (int index : network.topologicalSortOrder()) {
            String name = network.getVertices()[index].getVertexName();
            GraphVertex vertex = conf.getVertices().get(name);
            if (vertex != null) {
                steps.add(
                        step(
                                name,
                                vertex,
                                Objects.requireNonNull(conf.getVertexInputs().get(name), name)));
            }
        }
        return new FloatNetwork(
                steps, Set.copyOf(conf.getNetworkInputs()), Set.copyOf(conf.getNetworkOutputs()));
    }

    private static Step step(String name, GraphVertex vertex, List<String> inputs) {
        if (Frozen.inside(vertex) instanceof LayerVertex of) {
            return Step.of(
                    name, of.getLayerConf().getLayer(), vertex, inputs, of.getPreProcessor());
        }
        return Step.of(name, null, vertex, inputs, null);
    }

    Collection<Step> steps() {
        return steps.values();
    }

    /** {@return the step of this name; null if it is a network input} */
    @Nullable Step step(String name) {
        return steps.get(name);
    }

    Set<String> inputs() {
        return inputs;
    }

    Set<String> outputs() {
        return outputs;
    }

    /** {@return the steps that read a tensor} */
    List<Step> consumers(String name) {
        return steps.values().stream().filter(step -> step.inputs().contains(name)).toList();
    }

    /** {@return the one step that reads a tensor; null if several do, or it leaves the network} */
    @Nullable Step onlyConsumer(String name) {
        List<Step> consumers = consumers(name);
        return consumers.size() == 1 && !outputs.contains(name) ? consumers.get(0) : null;
    }
}
