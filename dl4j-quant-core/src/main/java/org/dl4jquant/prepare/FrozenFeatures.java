// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.scale.ScaleLinks;
import org.dl4jquant.network.NetworkEdit;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.Part;
import org.dl4jquant.network.Step;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Computes the results of a network's frozen first layers once, and trains the other layers on
 * them. The parameters are the same bits as after {@code setFeatureExtractor} and {@code fit} of
 * the whole network, and an epoch costs the last layers only. The network may be quantized or not;
 * DL4J's {@code TransferLearningHelper} takes no quantized ones.
 *
 * <p>The results are those of inference. DL4J computes a frozen vertex of a graph as in training;
 * there the last bits of a sum of codes may differ.
 *
 * <pre>{@code
 * FrozenFeatures<MultiLayerNetwork> frozen = FrozenFeatures.of(quantized, "conv2");
 * DataSetIterator features = frozen.features(train); // held in memory
 * frozen.tail().fit(features, 10);
 * MultiLayerNetwork trained = frozen.network();
 * }</pre>
 *
 * @param <N> the kind of network
 */
public final class FrozenFeatures<N extends Model> {

    private final NetworkView<N> whole;
    private final NetworkView<N> tail;
    private final List<String> tensors;

    private FrozenFeatures(NetworkView<N> network, List<String> last) {
        this.whole = view(NetworkEdit.of(network).build());
        Set<String> front = upTo(whole.topology(), last);
        List<Part> learning =
                whole.parts().stream().filter(part -> !front.contains(part.name())).toList();
        List<String> outputs = whole.topology().outputs();
        Require.argument(
                outputs.stream().noneMatch(front::contains),
                "with all up to %s frozen, one of the outputs %s is frozen, too; name an earlier"
                        + " layer",
                last,
                outputs);
        Set<String> read = new LinkedHashSet<>();
        learning.forEach(part -> read.addAll(part.inputs()));
        learning.forEach(part -> read.remove(part.name()));
        this.tensors = List.copyOf(read);
        this.tail = whole.assemble(learning, tensors, outputs);
        INDArray all = whole.network().params();
        INDArray some = tail.network().params();
        Require.argument(some != null && !some.isEmpty(), "no layer after %s has parameters", last);
        tail.takeOver(whole);
        ScaleLinks.carry(all, some);
    }

    /**
     * Freezes the first layers of a row of layers.
     *
     * @param network a network, quantized or not; not changed
     * @param last the name of the last frozen layer
     * @return the network in two parts
     * @throws IllegalArgumentException if there is no such layer, or none after it learns
     */
    public static FrozenFeatures<MultiLayerNetwork> of(MultiLayerNetwork network, String last) {
        return new FrozenFeatures<>(NetworkView.of(network), List.of(Require.given(last, "last")));
    }

    /**
     * Freezes layers of a graph, and all that they read.
     *
     * @param network a network, quantized or not; not changed
     * @param last the names of the last frozen layers or vertices
     * @return the network in two parts
     * @throws IllegalArgumentException if there is no such layer, or none after them learns
     */
    public static FrozenFeatures<ComputationGraph> of(ComputationGraph network, String... last) {
        return new FrozenFeatures<>(NetworkView.of(network), List.of(Require.given(last, "last")));
    }

    @SuppressWarnings("unchecked") // a network of the same kind has a view of the same kind
    private static <N extends Model> NetworkView<N> view(N network) {
        return (NetworkView<N>) NetworkView.ofModel(network);
    }

    private static Set<String> upTo(Topology<Step> network, List<String> last) {
        Require.argument(!last.isEmpty(), "name at least one frozen layer");
        Set<String> front = new LinkedHashSet<>();
        for (String name : last) {
            Require.argument(
                    network.step(name) != null,
                    "the network has no layer or vertex '%s'; it has %s",
                    name,
                    network.steps().stream().map(Step::name).toList());
        }
        List<String> open = new ArrayList<>(last);
        while (!open.isEmpty()) {
            Step step = network.step(open.remove(0));
            if (step != null && front.add(step.name())) {
                open.addAll(step.inputs());
            }
        }
        return front;
    }

    /**
     * Returns the layers that learn, as a network of their own, which is trained in place. A copy
     * or a stored file of it does not know the scales of the frozen layers; copy or store {@link
     * #network} instead.
     *
     * @return always the same network
     */
    public N tail() {
        return tail.network();
    }

    /**
     * Returns the tensors that the last layers read, in the order of {@link #tail}'s inputs.
     *
     * @return the names of frozen layers and network inputs
     */
    public List<String> tensors() {
        return tensors;
    }

    /**
     * Returns the whole network as it is trained now.
     *
     * @return a new network: the frozen layers as they were, the others, their updater's state and
     *     the numbers of iterations and epochs from {@link #tail}; without listeners
     */
    public N network() {
        NetworkView<N> made = view(NetworkEdit.of(whole).build());
        made.takeOver(tail);
        return made.network();
    }

    /**
     * Computes the results of the frozen layers.
     *
     * @param batch examples, without a mask of the features
     * @return the examples for {@link #tail}, with the same labels
     * @throws IllegalArgumentException if the network has several inputs, the last layers read
     *     several tensors, or the features have a mask
     */
    public DataSet features(DataSet batch) {
        Require.given(batch, "batch");
        Require.argument(
                whole.topology().inputs().size() == 1 && tensors.size() == 1,
                "the network reads %s and its last layers %s; a DataSet holds one tensor each, so"
                        + " give a MultiDataSet",
                whole.topology().inputs(),
                tensors);
        requireNoMask(batch.getFeaturesMaskArray() != null);
        INDArray features = compute(batch.getFeatures())[0];
        return new DataSet(features, batch.getLabels(), null, batch.getLabelsMaskArray());
    }

    /**
     * Computes the results of the frozen layers.
     *
     * @param batch examples, without masks of the features
     * @return the examples for {@link #tail}, with the same labels
     * @throws IllegalArgumentException if features have a mask
     */
    public MultiDataSet features(MultiDataSet batch) {
        Require.given(batch, "batch");
        requireNoMask(batch.hasMaskArrays() && anyOf(batch.getFeaturesMaskArrays()));
        return new MultiDataSet(
                compute(batch.getFeatures()), batch.getLabels(), null, batch.getLabelsMaskArrays());
    }

    /**
     * Computes the results of the frozen layers for all batches, and holds them in memory.
     *
     * @param data examples, without masks of the features
     * @return the same batches for {@link #tail}; can be read again and again
     * @throws IllegalArgumentException as of a single batch, or if there are no data
     */
    public DataSetIterator features(DataSetIterator data) {
        Require.given(data, "data");
        List<DataSet> batches = new ArrayList<>();
        while (data.hasNext()) {
            batches.add(features(data.next()));
        }
        Require.argument(!batches.isEmpty(), "the iterator has no data; reset it");
        return new ExistingDataSetIterator(batches);
    }

    private INDArray[] compute(INDArray... features) {
        List<String> inputs = whole.topology().inputs();
        Require.argument(
                features.length == inputs.size(),
                "%d features for the inputs %s; give one to each",
                features.length,
                inputs);
        Map<String, INDArray> results = new LinkedHashMap<>(whole.feedForward(features));
        for (int i = 0; i < features.length; i++) {
            results.put(inputs.get(i), features[i]);
        }
        return tensors.stream().map(results::get).toArray(INDArray[]::new);
    }

    private static boolean anyOf(INDArray @Nullable [] masks) {
        if (masks != null) {
            for (INDArray mask : masks) {
                if (mask != null) {
                    return true;
                }
            }
        }
        return false;
    }

    private static void requireNoMask(boolean masked) {
        Require.argument(
                !masked,
                "the features have a mask, which frozen layers may change; freeze the layers with"
                        + " setFeatureExtractor and fit the whole network instead");
    }
}
