// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.network.LayerNames;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Compares a trained network with an engine that runs its graph, code by code: what {@code
 * evaluate} reports is what the engine returns.
 *
 * <p>A node of the graph that bears a layer's name holds that layer's result. The network's value
 * is turned into its code by the node's scale and compared with the engine's.
 */
public final class SimulatorCheck {

    private final Engine engine;
    private final Function<INDArray[], Map<String, INDArray>> network;
    private final List<String> outputs;

    private SimulatorCheck(
            Engine engine,
            Function<INDArray[], Map<String, INDArray>> network,
            List<String> outputs) {
        this.engine = engine;
        this.network = network;
        this.outputs = outputs;
    }

    /**
     * {@return the comparison of a network with an engine}
     *
     * @param quantized a network from {@code prepare}
     * @param engine an engine that runs the network's graph
     */
    public static SimulatorCheck between(MultiLayerNetwork quantized, Engine engine) {
        List<String> layers = LayerNames.of(quantized);
        Map<String, String> nodes = nodes(List.of(LayerNames.input(layers)), layers);
        List<String> names = layers.stream().map(nodes::get).toList();
        return new SimulatorCheck(
                engine,
                features -> {
                    List<INDArray> results = quantized.feedForward(features[0], false);
                    Map<String, INDArray> byName = new HashMap<>();
                    for (int i = 0; i < names.size(); i++) {
                        byName.put(names.get(i), results.get(i + 1));
                    }
                    return byName;
                },
                List.of(names.get(names.size() - 1)));
    }

    /**
     * {@return the comparison of a network with an engine}
     *
     * @param quantized a network from {@code prepare}
     * @param engine an engine that runs the network's graph
     */
    public static SimulatorCheck between(ComputationGraph quantized, Engine engine) {
        ComputationGraphConfiguration conf = quantized.getConfiguration();
        Map<String, String> nodes = nodes(conf.getNetworkInputs(), conf.getVertices().keySet());
        return new SimulatorCheck(
                engine,
                features -> {
                    Map<String, INDArray> byName = new HashMap<>();
                    quantized
                            .feedForward(features, false)
                            .forEach((name, result) -> byName.put(nodes.get(name), result));
                    return byName;
                },
                conf.getNetworkOutputs().stream().map(nodes::get).toList());
    }

    /** The names that the results of inputs and layers have in the graph. */
    private static Map<String, String> nodes(Collection<String> inputs, Collection<String> layers) {
        Set<String> all = new LinkedHashSet<>(inputs);
        all.addAll(layers);
        return LayerNames.ofNodes(all);
    }

    /**
     * {@return what the comparison finds over one batch}
     *
     * @param features one array for each of the network's inputs
     */
    public SimulatorReport over(INDArray... features) {
        return over(List.<INDArray[]>of(features));
    }

    /**
     * {@return what the comparison finds}
     *
     * @param batches for each run one array for each of the network's inputs
     * @throws IllegalArgumentException if the engine runs another network's graph, so that no node
     *     bears a layer's name
     */
    public SimulatorReport over(Iterable<INDArray[]> batches) {
        Count count = new Count();
        for (INDArray[] features : batches) {
            Map<String, INDArray> simulated = network.apply(features);
            Map<String, Batch> computed = engine.trace(EngineInputs.of(engine.graph(), features));
            computed.forEach((node, batch) -> count.add(node, simulated.get(node), batch));
            count.examples += features[0].size(0);
            for (int i = 0; i < outputs.size(); i++) {
                count.addTop1(
                        simulated.get(outputs.get(i)),
                        computed.get(engine.graph().outputs().get(i)));
            }
        }
        Require.argument(
                count.codes > 0,
                "no node of the graph bears the name of one of the network's layers; open the"
                        + " engine with the graph that Quantization.lower returns for this network");
        return count.report();
    }

    private static final class Count {

        private final Map<String, Long> differing = new LinkedHashMap<>();
        private long examples;
        private long codes;
        private int largest;
        private long top1Changed;

        void add(String node, @Nullable INDArray simulated, Batch computed) {
            if (simulated == null || !(computed instanceof Batch.Codes expected)) {
                return;
            }
            float[] values = RowMajor.floats(simulated);
            long differ = 0;
            for (int i = 0; i < values.length; i++) {
                int distance = Math.abs(expected.params().quantize(values[i]) - expected.code(i));
                differ += distance == 0 ? 0 : 1;
                largest = Math.max(largest, distance);
            }
            codes += values.length;
            differing.merge(node, differ, Long::sum);
        }

        void addTop1(@Nullable INDArray simulated, @Nullable Batch computed) {
            if (simulated == null || !(computed instanceof Batch.Floats values)) {
                return;
            }
            float[] left = RowMajor.floats(simulated);
            int length = values.shape().elements();
            for (int example = 0; example < values.size(); example++) {
                if (largestAt(left, example * length, length)
                        != largestAt(values.values(), example * length, length)) {
                    top1Changed++;
                }
            }
        }

        private static int largestAt(float[] values, int offset, int length) {
            int best = 0;
            for (int i = 1; i < length; i++) {
                if (values[offset + i] > values[offset + best]) {
                    best = i;
                }
            }
            return best;
        }

        SimulatorReport report() {
            return new SimulatorReport(examples, codes, differing, largest, top1Changed);
        }
    }
}
