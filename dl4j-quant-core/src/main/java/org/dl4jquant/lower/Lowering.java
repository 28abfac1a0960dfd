// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.MaximumVertex;
import org.dl4jquant.layer.QuantizedAddVertex;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.network.Frozen;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.network.NetworkView;

/** Lowers a quantized DL4J network to the integer graph that engines run. */
public final class Lowering {

    private Lowering() {}

    /**
     * Returns the integer graph of a network.
     *
     * <p>Its one input is {@code input}, or {@code input_2} if a layer is called so; its one output
     * bears the last layer's name and is what the network's {@code output} returns, as float32:
     * ReLU and other clamps are nodes, any other activation function is the output's last function
     * ({@link IntGraph#functions}). A last layer that makes codes, such as a pool, gives its name
     * to them, and the output is {@code name/values}. Dropout is left out. See {@link LayerNames}
     * for layers of one name.
     *
     * @param network a network that {@code prepare} made, trained or not; not changed
     * @return the graph
     * @throws LoweringException if layers have no integer form, all of which the message names, or
     *     the network has no quantizers
     */
    public static IntGraph of(MultiLayerNetwork network) {
        Require.given(network, "network");
        requirePrepared(network.getLayers());
        List<String> names = LayerNames.of(network);
        String previous = LayerNames.input(names);
        List<String> all = new ArrayList<>(List.of(previous));
        all.addAll(names);
        NetworkWalk walk = new NetworkWalk(all);
        walk.input(previous);
        for (int i = 0; i < network.getnLayers(); i++) {
            String name = names.get(i);
            walk.layer(
                    name,
                    network.getLayer(i),
                    network.getLayerWiseConfigurations().getInputPreProcess(i),
                    previous);
            previous = name;
        }
        return walk.finish(List.of(previous));
    }

    /**
     * Returns the integer graph of a network.
     *
     * <p>Inputs and outputs bear the network's own names, as far as {@link LayerNames#ofNodes} can
     * keep them, and stand in its order; an output is what the network's {@code output} returns, as
     * for the other kind of network.
     *
     * @param network a network that {@code prepare} made, trained or not; not changed
     * @return the graph
     * @throws LoweringException if layers or vertices have no integer form, all of which the
     *     message names, or the network has no quantizers
     */
    public static IntGraph of(ComputationGraph network) {
        Require.given(network, "network");
        requirePrepared(network.getLayers());
        ComputationGraphConfiguration conf = network.getConfiguration();
        Set<String> all = new LinkedHashSet<>(conf.getNetworkInputs());
        all.addAll(conf.getVertices().keySet());
        NetworkWalk walk = new NetworkWalk(all);
        conf.getNetworkInputs().forEach(walk::input);
        for (int index : network.topologicalSortOrder()) {
            String name = network.getVertices()[index].getVertexName();
            GraphVertex vertex = conf.getVertices().get(name);
            if (vertex != null) {
                lowerVertex(walk, network, name, vertex);
            }
        }
        return walk.finish(conf.getNetworkOutputs());
    }

    /**
     * Returns the integer graph of a network of either kind.
     *
     * @param network the view of a network that {@code prepare} made; not changed
     * @return the graph
     * @throws LoweringException as for the network itself
     */
    public static IntGraph of(NetworkView<?> network) {
        return Require.given(network, "network").network() instanceof ComputationGraph graph
                ? of(graph)
                : of((MultiLayerNetwork) network.network());
    }

    private static void requirePrepared(Layer[] layers) {
        if (Arrays.stream(layers)
                .noneMatch(layer -> QuantizedLayers.configuration(layer).isPresent())) {
            throw new LoweringException(
                    "the network has no quantizers: it is a float network, or was prepared with all"
                            + " of it left in float; lower what Quantization.prepare returns for a"
                            + " spec of integers");
        }
    }

    private static void lowerVertex(
            NetworkWalk walk, ComputationGraph network, String name, GraphVertex perhapsFrozen) {
        GraphVertex vertex = Frozen.inside(perhapsFrozen);
        Map<String, List<String>> wiring = network.getConfiguration().getVertexInputs();
        List<String> inputs = wiring.getOrDefault(name, List.of());
        if (vertex instanceof LayerVertex layer) {
            walk.layer(name, network.getLayer(name), layer.getPreProcessor(), inputs.get(0));
        } else {
            walk.vertex(name, configuration(vertex), inputs);
        }
    }

    /* DL4J's own configuration of a vertex. */
    private static Object configuration(GraphVertex vertex) {
        if (vertex instanceof QuantizedAddVertex || vertex instanceof MaximumVertex) {
            return new ElementWiseVertex(((ElementWiseVertex) vertex).getOp());
        }
        return vertex.getClass() == PreprocessorVertex.class
                ? ((PreprocessorVertex) vertex).getPreProcessor()
                : vertex;
    }
}
