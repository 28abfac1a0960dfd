// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.kind.Piece;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.Part;
import org.dl4jquant.network.Step;
import org.dl4jquant.scheme.LayerPosition;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A network in which steps that have pieces, such as attentions of three inputs, are taken apart:
 * the same arithmetic, whose weights and results are rounded as those of any layer are. A step that
 * the spec leaves in float stays whole.
 *
 * @param <N> the kind of network
 * @param view the network, in float
 * @param positions the names and types by which the spec's rules know such steps and their pieces:
 *     those of the whole step, without a place among the layers
 */
record StepSplit<N extends Model>(NetworkView<N> view, Map<String, LayerPosition> positions) {

    /**
     * Takes steps apart.
     *
     * @param <N> the kind of network
     * @param network the view of the float network, initialized; not changed
     * @param spec which steps are quantized
     * @return the same network if it has none of those
     */
    static <N extends Model> StepSplit<N> of(NetworkView<N> network, QuantSpec spec) {
        Map<String, LayerPosition> positions = new HashMap<>();
        Map<String, List<Piece>> split = new LinkedHashMap<>();
        for (Step step : network.topology().steps()) {
            List<Piece> pieces = LayerKinds.of(step).pieces();
            if (!pieces.isEmpty()) {
                LayerPosition whole = Planner.withoutPlace(step.name(), step.type());
                positions.put(step.name(), whole);
                if (!spec.schemeFor(whole).isFloat()) {
                    split.put(step.name(), pieces);
                }
            }
        }
        return split.isEmpty()
                ? new StepSplit<>(network, positions)
                : new StepSplit<>(new Assembly<>(network, positions).of(split), positions);
    }

    /** The network of pieces under construction. */
    private static final class Assembly<N extends Model> {
        private final NetworkView<N> network;
        private final Map<String, LayerPosition> positions;
        private final Map<String, Map<String, INDArray>> parameters = new HashMap<>();
        private final List<Part> parts = new ArrayList<>();
        private final Set<String> taken;

        Assembly(NetworkView<N> network, Map<String, LayerPosition> positions) {
            this.network = network;
            this.positions = positions;
            this.taken = new HashSet<>(network.topology().inputs());
        }

        NetworkView<N> of(Map<String, List<Piece>> split) {
            List<Part> wholes = network.parts();
            wholes.forEach(part -> taken.add(part.name()));
            for (Part part : wholes) {
                Map<String, INDArray> own = table(network, part.name());
                List<Piece> pieces = split.get(part.name());
                if (pieces == null) {
                    parts.add(part);
                    parameters.put(part.name(), own);
                } else {
                    add(part, pieces, own);
                }
            }
            NetworkView<N> made = network.assemble(parts, network.topology().outputs());
            parameters.forEach((name, values) -> fill(table(made, name), values));
            return made;
        }

        private static Map<String, INDArray> table(NetworkView<?> network, String name) {
            Trainable trainable = network.trainable(name);
            Map<String, INDArray> table = trainable == null ? null : trainable.paramTable(false);
            return table == null ? Map.of() : table;
        }

        private static void fill(Map<String, INDArray> table, Map<String, INDArray> values) {
            table.forEach((key, view) -> view.assign(requireNonNull(values.get(key), key)));
        }

        private void add(Part whole, List<Piece> pieces, Map<String, INDArray> own) {
            List<String> tensors = new ArrayList<>(whole.inputs());
            for (Piece piece : pieces) {
                String name =
                        piece.isLast()
                                ? whole.name()
                                : LayerNames.fresh(whole.name() + piece.ending(), taken);
                taken.add(name);
                tensors.add(name);
                parts.add(part(whole, piece, name, tensors));
                parameters.put(name, piece.parameters().apply(own));
                positions.put(name, requireNonNull(positions.get(whole.name())));
            }
        }

        private Part part(Part whole, Piece piece, String name, List<String> tensors) {
            List<String> inputs = piece.inputs().stream().map(tensors::get).toList();
            if (piece.configuration() instanceof GraphVertex vertex) {
                return new Part(name, inputs, null, vertex, null);
            }
            Layer layer = (Layer) piece.configuration();
            layer.setLayerName(name);
            boolean frozen = requireNonNull(network.topology().step(whole.name())).frozen();
            NeuralNetConfiguration conf = network.defaults();
            conf.setLayer(frozen ? new FrozenLayer(layer) : layer);
            conf.getLayer().setLayerName(name);
            conf.clearVariables();
            return Part.of(name, inputs, conf);
        }
    }
}
