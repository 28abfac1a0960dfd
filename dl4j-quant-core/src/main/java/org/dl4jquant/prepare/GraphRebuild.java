// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.layer.ActivationScheme;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Builds the prepared network of a ComputationGraph. */
final class GraphRebuild {

    private GraphRebuild() {}

    static ComputationGraph rebuild(ComputationGraph original, Plan plan) {
        ComputationGraph prepared = new ComputationGraph(configuration(original, plan));
        prepared.init();
        for (Step step : plan.network().steps()) {
            if (step.layer() != null) {
                Masters.copy(step, original::getLayer, prepared.getLayer(step.name()));
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
        for (Step step : plan.network().steps()) {
            vertices.put(step.name(), vertex(step, plan));
            inputs.put(step.name(), rewired(step.inputs(), plan));
            ActivationScheme behind = plan.inserted().get(step.name());
            if (behind != null) {
                String name = step.name() + Plan.QUANTIZED;
                vertices.put(
                        name,
                        new LayerVertex(
                                Wrapping.rounding(name, after.getDefaultConfiguration(), behind),
                                null));
                inputs.put(name, List.of(step.name()));
            }
        }
        after.setVertices(vertices);
        after.setVertexInputs(inputs);
        return after;
    }

    private static GraphVertex vertex(Step step, Plan plan) {
        if (!(step.vertex() instanceof LayerVertex before)) {
            return java.util.Objects.requireNonNull(step.vertex()).clone();
        }
        LayerVertex after =
                new LayerVertex(
                        Wrapping.configuration(
                                step, before.getLayerConf(), plan.wrapped().get(step.name())),
                        before.getPreProcessor() == null ? null : before.getPreProcessor().clone());
        after.setOutputVertex(before.isOutputVertex());
        return after;
    }

    private static List<String> rewired(List<String> inputs, Plan plan) {
        return inputs.stream()
                .map(name -> plan.inserted().containsKey(name) ? name + Plan.QUANTIZED : name)
                .toList();
    }
}
