// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.CodeJoint;
import org.dl4jquant.layer.MaximumVertex;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.Step;
import org.dl4jquant.network.Topology;
import org.dl4jquant.numeric.Shape;

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
        return of(network, LoweringOptions.DEFAULT);
    }

    /**
     * Returns the integer graph of a network with further inputs.
     *
     * @param network a network that {@code prepare} made, trained or not; not changed
     * @param options the inputs that the graph takes besides the network's inputs
     * @return the graph
     * @throws LoweringException as {@link #of(MultiLayerNetwork)}, and for each layer that cannot
     *     obey the options
     */
    public static IntGraph of(MultiLayerNetwork network, LoweringOptions options) {
        return of(NetworkView.of(Require.given(network, "network")), options);
    }

    /**
     * Returns the integer graph of a network with further inputs.
     *
     * @param network a network that {@code prepare} made, trained or not; not changed
     * @param options the inputs that the graph takes besides the network's inputs
     * @return the graph
     * @throws LoweringException as {@link #of(ComputationGraph)}, and for each layer that cannot
     *     obey the options
     */
    public static IntGraph of(ComputationGraph network, LoweringOptions options) {
        return of(NetworkView.of(Require.given(network, "network")), options);
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
        return of(network, LoweringOptions.DEFAULT);
    }

    /**
     * Returns the integer graph of a network of either kind.
     *
     * @param network the view of a network that {@code prepare} made; not changed
     * @return the graph
     * @throws LoweringException as for the network itself
     */
    public static IntGraph of(NetworkView<?> network) {
        return of(network, LoweringOptions.DEFAULT);
    }

    private static IntGraph of(NetworkView<?> network, LoweringOptions options) {
        Require.given(network, "network");
        return walk(network, Require.given(options, "options"))
                .finish(network.topology().outputs());
    }

    /**
     * Returns the places of the codes of a network's graph in the results of the network's steps,
     * where the two differ: a node has the channels first, and one of the batches that a step's
     * result holds below one another.
     *
     * @param network the view of a network that becomes integers; not changed
     * @return by the nodes' names, of those whose codes are a step's result or a part of it
     * @throws LoweringException if the network has no quantizers
     */
    public static Map<String, StepResult> results(NetworkView<?> network) {
        return walk(Require.given(network, "network"), LoweringOptions.DEFAULT).results();
    }

    /**
     * Returns the integer parts of a network, and the steps that stay in float between them.
     *
     * @param network the view of a network that {@code prepare} made; not changed
     * @param shapes one example of the result of each step and of each network input, by name
     * @return the parts
     * @throws LoweringException if steps have neither an integer form nor float operators, all of
     *     which the message names, or the network has no quantizers
     */
    public static HybridGraph hybrid(NetworkView<?> network, Map<String, Shape> shapes) {
        NetworkWalk walk = start(Require.given(network, "network"), LoweringOptions.DEFAULT);
        walk.allowFloat(Require.given(shapes, "shapes"));
        pass(network, walk);
        return walk.finishHybrid(network.topology().outputs());
    }

    private static NetworkWalk walk(NetworkView<?> network, LoweringOptions options) {
        NetworkWalk walk = start(network, options);
        pass(network, walk);
        return walk;
    }

    private static NetworkWalk start(NetworkView<?> network, LoweringOptions options) {
        requirePrepared(network.layers());
        Topology<Step> topology = network.topology();
        List<String> all = new ArrayList<>(topology.inputs());
        topology.steps().forEach(step -> all.add(step.name()));
        return new NetworkWalk(all, options);
    }

    private static void pass(NetworkView<?> network, NetworkWalk walk) {
        Topology<Step> topology = network.topology();
        topology.inputs().forEach(walk::input);
        for (Step step : topology.steps()) {
            Layer layer = network.layer(step.name());
            if (layer != null) {
                walk.layer(step.name(), layer, step.preprocessor(), step.inputs().get(0));
            } else {
                walk.vertex(step.name(), configuration(step), step.inputs());
            }
        }
    }

    private static void requirePrepared(List<Layer> layers) {
        if (layers.stream().noneMatch(layer -> QuantizedLayers.configuration(layer).isPresent())) {
            throw new LoweringException(
                    "the network has no quantizers: it is a float network, or was prepared with all"
                            + " of it left in float; lower what Quantization.prepare returns for a"
                            + " spec of integers");
        }
    }

    /* DL4J's own configuration of a vertex. */
    private static Object configuration(Step step) {
        GraphVertex vertex = Objects.requireNonNull(step.vertex(), step.name());
        if (vertex instanceof CodeJoint joint) {
            return joint.inFloat();
        }
        return vertex instanceof MaximumVertex maximum
                ? new ElementWiseVertex(maximum.getOp())
                : vertex;
    }
}
