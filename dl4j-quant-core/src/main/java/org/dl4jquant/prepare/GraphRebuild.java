// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.layer.MaximumVertex;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.network.Frozen;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Builds the prepared network of a ComputationGraph. */
final class GraphRebuild {

    private GraphRebuild() {}

    static ComputationGraph rebuild(ComputationGraph original, Plan plan) {
        ComputationGraph prepared = new ComputationGraph(configuration(original, plan));
        ZeroNetworks.init(prepared);
        for (Step step : plan.network().steps()) {
            if (step.layer() != null) {
                ParameterTransfer.copy(step, original::getLayer, prepared.getLayer(step.name()));
            } else {
                copyVertex(original, prepared, step.name());
            }
        }
        return prepared;
    }

    private static void copyVertex(ComputationGraph from, ComputationGraph to, String name) {
        INDArray values = from.getVertex(name).params();
        if (values != null && values.length() > 0) {
            to.getVertex(name).params().assign(values);
        }
    }

    private static ComputationGraphConfiguration configuration(
            ComputationGraph original, Plan plan) {
        ComputationGraphConfiguration after = original.getConfiguration().clone();
        Map<String, GraphVertex> vertices = new LinkedHashMap<>();
        Map<String, List<String>> inputs = new LinkedHashMap<>();
        List<String> tensors = new ArrayList<>(after.getNetworkInputs());
        for (Step step : plan.network().steps()) {
            vertices.put(step.name(), vertex(step, plan));
            inputs.put(step.name(), requireNonNull(plan.wiring().get(step.name())));
            tensors.add(step.name());
        }
        for (String tensor : tensors) {
            ActivationScheme behind = plan.inserted().get(tensor);
            if (behind != null) {
                String name = plan.quantizer(tensor);
                vertices.put(name, rounding(name, after, behind));
                inputs.put(name, List.of(tensor));
            }
        }
        StandaloneUpdaters.assign(
                vertices.values().stream()
                        .map(Frozen::inside)
                        .filter(LayerVertex.class::isInstance)
                        .map(vertex -> ((LayerVertex) vertex).getLayerConf().getLayer())
                        .toList());
        after.setVertices(vertices);
        after.setVertexInputs(inputs);
        return after;
    }

    private static LayerVertex rounding(
            String name, ComputationGraphConfiguration conf, ActivationScheme scheme) {
        return new LayerVertex(
                Wrapping.rounding(name, conf.getDefaultConfiguration(), scheme), null);
    }

    private static GraphVertex copy(GraphVertex vertex) {
        GraphVertex inside = Frozen.inside(vertex);
        if (inside.getClass() == ElementWiseVertex.class
                && ((ElementWiseVertex) inside).getOp() == ElementWiseVertex.Op.Max) {
            return Frozen.like(vertex, new MaximumVertex());
        }
        return Frozen.like(vertex, GraphCopies.of(inside));
    }

    private static GraphVertex vertex(Step step, Plan plan) {
        GraphVertex original = requireNonNull(step.vertex());
        GraphVertex sum = plan.sums().get(step.name());
        if (sum != null) {
            return Frozen.like(original, sum);
        }
        if (!(Frozen.inside(original) instanceof LayerVertex before)) {
            return copy(original);
        }
        LayerVertex after =
                new LayerVertex(
                        Wrapping.configuration(step, before.getLayerConf(), plan),
                        before.getPreProcessor() == null ? null : before.getPreProcessor().clone());
        after.setOutputVertex(before.isOutputVertex());
        return Frozen.like(original, after);
    }
}
