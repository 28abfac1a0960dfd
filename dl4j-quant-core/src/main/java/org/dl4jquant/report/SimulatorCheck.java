// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.lower.Lowering;
import org.dl4jquant.lower.StepResult;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.Step;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Compares a trained network with an engine that runs its graph: what {@code evaluate} reports is
 * what the engine returns.
 *
 * <p>A node of the graph that bears a layer's name holds that layer's result. The network's value
 * is turned into its code by the node's scale and compared with the engine's. And what users see,
 * the values that the network's {@code output} and the engine's {@code run} return, after the last
 * layer's function, is compared bit by bit.
 */
public final class SimulatorCheck {

    private final Engine engine;
    private final NetworkView<?> network;
    private final Map<String, String> nodes;
    private @Nullable Map<String, StepResult> places;

    private SimulatorCheck(Engine engine, NetworkView<?> network) {
        this.engine = engine;
        this.network = network;
        Topology<Step> topology = network.topology();
        Set<String> all = new LinkedHashSet<>(topology.inputs());
        topology.steps().forEach(step -> all.add(step.name()));
        this.nodes = LayerNames.ofNodes(all);
    }

    /**
     * {@return the comparison of a network with an engine}
     *
     * @param quantized a network from {@code prepare}
     * @param engine an engine that runs the network's graph
     */
    public static SimulatorCheck between(MultiLayerNetwork quantized, Engine engine) {
        Require.given(quantized, "quantized");
        Require.given(engine, "engine");
        return new SimulatorCheck(engine, NetworkView.of(quantized));
    }

    /**
     * {@return the comparison of a network with an engine}
     *
     * @param quantized a network from {@code prepare}
     * @param engine an engine that runs the network's graph
     */
    public static SimulatorCheck between(ComputationGraph quantized, Engine engine) {
        Require.given(quantized, "quantized");
        Require.given(engine, "engine");
        return new SimulatorCheck(engine, NetworkView.of(quantized));
    }

    /**
     * The results of all steps.
     *
     * @param byNode by the names that they have in the graph
     * @param stacked whether some hold several batches
     */
    private record Results(Map<String, INDArray> byNode, boolean stacked) {}

    private Results results(INDArray[] features) {
        Map<String, INDArray> byNode = new HashMap<>();
        network.feedForward(features)
                .forEach((name, result) -> byNode.put(nodes.get(name), result));
        boolean stacked =
                byNode.values().stream().anyMatch(result -> result.size(0) != features[0].size(0));
        return new Results(byNode, stacked);
    }

    /**
     * {@return the result of the comparison over one batch}
     *
     * @param features one array for each of the network's inputs
     */
    public SimulatorReport over(INDArray... features) {
        return over(List.<INDArray[]>of(features));
    }

    /**
     * {@return the result of the comparison}
     *
     * @param batches for each run one array for each of the network's inputs
     * @throws IllegalArgumentException if the engine runs another network's graph, so that its
     *     outputs are others, or no node bears a layer's name
     */
    public SimulatorReport over(Iterable<INDArray[]> batches) {
        Count count = new Count();
        for (INDArray[] features : batches) {
            Map<String, Batch.Floats> inputs = EngineInputs.of(engine.graph(), features);
            Results layers = results(features);
            Map<String, Batch> nodes = engine.trace(inputs);
            Require.argument(
                    nodes.keySet().stream().anyMatch(layers.byNode()::containsKey),
                    "no node of the graph bears the name of one of the network's layers; open the"
                            + " engine with the graph that Quantization.lower returns for this"
                            + " network");
            nodes.forEach((node, batch) -> count.add(node, result(node, batch, layers), batch));
            compareOutputs(count, network.output(features, null), engine.run(inputs));
            count.examples += features[0].size(0);
        }
        return count.report();
    }

    /* Codes are where the network has them, unless the channels are last there, or batches are
     * stacked. Lowering tells, which is asked only where it can make a difference. */
    private @Nullable INDArray result(String node, Batch batch, Results layers) {
        INDArray same = layers.byNode().get(node);
        boolean asIs =
                !layers.stacked()
                        && (same == null
                                || same.rank() < 3
                                || !EngineInputs.hasExamples(
                                        channelsFirst(same), batch.size(), batch.shape()));
        if (asIs) {
            return same;
        }
        Map<String, StepResult> known = places;
        if (known == null) {
            known = Lowering.results(network);
            places = known;
        }
        StepResult place = known.get(node);
        INDArray whole = place == null ? null : layers.byNode().get(nodes.get(place.step()));
        if (place == null || whole == null) {
            return same;
        }
        INDArray part = whole;
        if (place.batches() > 1) {
            long examples = whole.size(0) / place.batches();
            INDArrayIndex rows =
                    NDArrayIndex.interval(place.batch() * examples, (place.batch() + 1) * examples);
            part = whole.get(rows);
        }
        return place.channelsLast() ? channelsFirst(part) : part;
    }

    private static INDArray channelsFirst(INDArray channelsLast) {
        return channelsLast.permute(orderOfChannelsFirst(channelsLast.rank()));
    }

    private static int[] orderOfChannelsFirst(int rank) {
        int[] order = new int[rank];
        order[1] = rank - 1;
        for (int axis = 2; axis < rank; axis++) {
            order[axis] = axis - 1;
        }
        return order;
    }

    private void compareOutputs(Count count, INDArray[] simulated, Map<String, Batch> computed) {
        List<String> names = engine.graph().outputs();
        Require.argument(
                simulated.length == names.size(),
                "the network has %d outputs, the engine's graph %s; open the engine with the graph"
                        + " that Quantization.lower returns for this network",
                simulated.length,
                names);
        for (int i = 0; i < simulated.length; i++) {
            Batch batch = Objects.requireNonNull(computed.get(names.get(i)));
            Require.argument(
                    EngineInputs.hasExamples(simulated[i], batch.size(), batch.shape())
                            && batch instanceof Batch.Floats,
                    "output '%s' is %s in the engine and an array of shape %s in the network; open"
                            + " the engine with the graph that Quantization.lower returns for this"
                            + " network",
                    names.get(i),
                    batch,
                    Arrays.toString(simulated[i].shape()));
            count.addValues(names.get(i), RowMajor.floats(simulated[i]), (Batch.Floats) batch);
        }
    }

    private static final class Count {

        private final Map<String, Long> differing = new LinkedHashMap<>();
        private final Map<String, Long> differingValues = new LinkedHashMap<>();
        private long examples;
        private long codes;
        private long values;
        private int largest;
        private long top1Changed;

        void add(String node, @Nullable INDArray simulated, Batch computed) {
            if (simulated == null || !(computed instanceof Batch.Codes expected)) {
                return;
            }
            float[] found = RowMajor.floats(simulated);
            long differ = 0;
            for (int i = 0; i < found.length; i++) {
                int distance = Math.abs(expected.params().quantize(found[i]) - expected.code(i));
                differ += distance == 0 ? 0 : 1;
                largest = Math.max(largest, distance);
            }
            codes += found.length;
            differing.merge(node, differ, Long::sum);
        }

        void addValues(String output, float[] simulated, Batch.Floats computed) {
            long differ = 0;
            for (int i = 0; i < simulated.length; i++) {
                boolean same =
                        Float.floatToIntBits(simulated[i])
                                == Float.floatToIntBits(computed.values()[i]);
                differ += same ? 0 : 1;
            }
            values += simulated.length;
            differingValues.merge(output, differ, Long::sum);
            countClasses(simulated, computed);
        }

        /* Channels come first: each pixel, or time step, of an example names a class of its own. */
        private void countClasses(float[] simulated, Batch.Floats computed) {
            int classes = computed.shape().size(0);
            int places = computed.shape().elements() / classes;
            for (int place = 0; place < computed.size() * places; place++) {
                int from = place / places * places * classes + place % places;
                if (largestAt(simulated, from, places, classes)
                        != largestAt(computed.values(), from, places, classes)) {
                    top1Changed++;
                }
            }
        }

        private static int largestAt(float[] values, int from, int step, int count) {
            int best = 0;
            for (int i = 1; i < count; i++) {
                if (values[from + i * step] > values[from + best * step]) {
                    best = i;
                }
            }
            return best;
        }

        SimulatorReport report() {
            return new SimulatorReport(
                    examples, codes, differing, largest, top1Changed, values, differingValues);
        }
    }
}
