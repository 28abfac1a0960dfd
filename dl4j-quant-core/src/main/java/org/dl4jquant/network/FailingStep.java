// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Finds the step of a network that cannot compute a batch, by running it step by step. */
public final class FailingStep {

    /* DL4J's own messages name a convolution, but neither a crop nor a vertex, and not the shape
     * that arrives there. */

    private static final String REMEDY =
            "; give examples of the shape that the network was built for: with its numbers of"
                    + " features and channels, at least one step, and no smaller than its kernels"
                    + " and crops";

    private final LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();

    private final Class<? extends RuntimeException> other;

    private FailingStep(Class<? extends RuntimeException> other) {
        this.other = other;
    }

    /**
     * Describes the failure of a forward pass.
     *
     * @param network the network that failed
     * @param features the batch, one array for each input
     * @param other the type of errors that say themselves where they come from
     * @return the first step that fails, the shapes that it reads, the reason and the remedy; null
     *     if each step computes by itself, without masks, or fails with another error
     */
    public static @Nullable String description(
            NetworkView<?> network, INDArray[] features, Class<? extends RuntimeException> other) {
        Model model = Require.given(network, "network").network();
        Require.given(features, "features");
        try {
            FailingStep run = new FailingStep(Require.given(other, "other"));
            return model instanceof ComputationGraph graph
                    ? run.ofGraph(graph, features)
                    : run.ofRow(network.names(), (MultiLayerNetwork) model, features[0]);
        } finally {
            network.layers().forEach(Layer::clear);
            model.clear();
        }
    }

    private @Nullable String ofRow(
            List<String> names, MultiLayerNetwork network, INDArray features) {
        INDArray x = features;
        int examples = (int) features.size(0);
        for (int i = 0; i < network.getnLayers(); i++) {
            try {
                InputPreProcessor before =
                        network.getLayerWiseConfigurations().getInputPreProcess(i);
                INDArray read = before == null ? x : before.preProcess(x, examples, workspaces);
                Layer layer = network.getLayer(i);
                layer.setInputMiniBatchSize(examples);
                x = requireNumbers(layer.activate(read, false, workspaces));
            } catch (RuntimeException e) {
                return other.isInstance(e) ? null : sentence("layer", names.get(i), List.of(x), e);
            }
        }
        return null;
    }

    private @Nullable String ofGraph(ComputationGraph network, INDArray[] features) {
        GraphVertex[] vertices = network.getVertices();
        INDArray[] results = new INDArray[vertices.length];
        List<String> inputs = network.getConfiguration().getNetworkInputs();
        network.setLayerMaskArrays(null, null);
        for (int index : network.topologicalSortOrder()) {
            GraphVertex vertex = vertices[index];
            if (vertex.isInputVertex()) {
                results[index] = features[inputs.indexOf(vertex.getVertexName())];
                continue;
            }
            List<INDArray> read =
                    Arrays.stream(vertex.getInputVertices())
                            .map(VertexIndices::getVertexIndex)
                            .map(from -> results[from])
                            .toList();
            try {
                for (int i = 0; i < read.size(); i++) {
                    vertex.setInput(i, read.get(i), workspaces);
                }
                results[index] = requireNumbers(vertex.doForward(false, workspaces));
            } catch (RuntimeException e) {
                String what = vertex.hasLayer() ? "layer" : "vertex";
                return other.isInstance(e) ? null : sentence(what, vertex.getVertexName(), read, e);
            } finally {
                vertex.clear();
            }
        }
        return null;
    }

    /* DL4J's max pool makes an empty array of too small an image; the step after it fails. */
    private static INDArray requireNumbers(INDArray result) {
        Require.argument(
                !result.isEmpty(),
                "its result has the shape %s, without a number",
                Arrays.toString(result.shape()));
        return result;
    }

    private static String sentence(
            String what, String name, List<INDArray> read, RuntimeException cause) {
        List<String> shapes = read.stream().map(x -> Arrays.toString(x.shape())).toList();
        return "%s '%s' cannot compute what it reads, of shape %s: %s%s"
                .formatted(what, name, String.join(" and ", shapes), cause.getMessage(), REMEDY);
    }
}
