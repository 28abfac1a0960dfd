// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.Frozen;
import org.jspecify.annotations.Nullable;

/**
 * Gives a quantized network an output layer for other classes, which DL4J's {@code nOutReplace}
 * cannot do, because it does not see the layer inside the quantizers.
 *
 * <pre>{@code
 * MultiLayerNetwork changed = OutputLayers.replace(quantized, 5); // the new layer is a float layer
 * MultiLayerNetwork again = Quantization.prepare(changed, spec, newData); // now it is quantized, too
 * }</pre>
 *
 * <p>All other layers keep their quantizers, scales and weights. To change the width of a layer
 * that is no output layer, change the float network and prepare that.
 */
public final class OutputLayers {

    private OutputLayers() {}

    /**
     * {@return a copy of a network whose last layer is new: a float layer like the old one, with
     * other outputs and fresh weights}
     *
     * @param network a network, quantized or not; not changed
     * @param outputs how many outputs the new layer has, above 0
     * @throws IllegalArgumentException if the last layer has no weights or {@code outputs} is not
     *     above 0
     */
    public static MultiLayerNetwork replace(MultiLayerNetwork network, int outputs) {
        Require.given(network, "network");
        Layer last = network.getOutputLayer().conf().getLayer();
        // DL4J makes no layer without such a configuration; this one leaves the others as they are.
        FineTuneConfiguration unchanged =
                new FineTuneConfiguration.Builder()
                        .seed(network.getDefaultConfiguration().getSeed())
                        .build();
        return new TransferLearning.Builder(network)
                .fineTuneConfiguration(unchanged)
                .removeOutputLayer()
                .addLayer(like(last, String.valueOf(last.getLayerName()), outputs))
                .build();
    }

    /**
     * {@return a copy of a network in which one output layer is new: a float layer like the old
     * one, with other outputs and fresh weights}
     *
     * @param network a network, quantized or not; not changed
     * @param name the name of an output layer
     * @param outputs how many outputs the new layer has, above 0
     * @throws IllegalArgumentException if the network has no output layer of that name with
     *     weights, or {@code outputs} is not above 0
     */
    public static ComputationGraph replace(ComputationGraph network, String name, int outputs) {
        Require.given(network, "network");
        Require.given(name, "name");
        ComputationGraphConfiguration conf = network.getConfiguration();
        List<String> all = conf.getNetworkOutputs();
        GraphVertex vertex = all.contains(name) ? conf.getVertices().get(name) : null;
        Require.argument(
                vertex != null && Frozen.inside(vertex) instanceof LayerVertex,
                "the network has no output layer '%s'; its outputs are %s",
                name,
                all);
        LayerVertex old = (LayerVertex) Frozen.inside(Objects.requireNonNull(vertex));
        Layer fresh = like(old.getLayerConf().getLayer(), name, outputs);
        String[] inputs =
                Objects.requireNonNull(conf.getVertexInputs().get(name)).toArray(new String[0]);
        TransferLearning.GraphBuilder builder =
                new TransferLearning.GraphBuilder(network).removeVertexAndConnections(name);
        if (old.getPreProcessor() == null) {
            builder.addLayer(name, fresh, inputs);
        } else {
            builder.addLayer(name, fresh, old.getPreProcessor().clone(), inputs);
        }
        return builder.setOutputs(all.toArray(new String[0])).build();
    }

    private static Layer like(Layer old, String name, int outputs) {
        Require.argument(
                outputs > 0,
                "an output layer '%s' with %d outputs; give at least 1",
                name,
                outputs);
        @Nullable Layer inside = FusedStep.inside(Frozen.inside(old));
        Require.argument(
                inside instanceof BaseOutputLayer,
                "'%s' is no output layer with weights, so it has no number of outputs of its own;"
                        + " change the float network, and prepare that",
                name);
        BaseOutputLayer fresh = (BaseOutputLayer) Objects.requireNonNull(inside).clone();
        fresh.setNOut(outputs);
        fresh.setLayerName(name);
        return fresh;
    }
}
