// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.hybrid;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.numeric.OutputFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The differences of a hybrid model's parts from what defines them.
 *
 * @param differingIntegers how many results of the integer parts differ from the reference engine's
 *     in any bit; 0 in a model that is right
 * @param islands the differences of each island
 */
public record HybridComparison(long differingIntegers, List<Island> islands) {

    /**
     * The tolerance of an island in float32, in parts of its largest result: sums of some thousand
     * terms in another order, and other approximations of functions.
     */
    public static final double FLOAT_TOLERANCE = 2e-5;

    /** The same in half precision: one unit in the last place, where a rounding falls otherwise. */
    public static final double HALF_TOLERANCE = 0x1p-10;

    /**
     * The difference of an island from DL4J's result for the same inputs.
     *
     * @param name the step
     * @param difference the largest one, in parts of the largest result
     * @param tolerance the largest one that is right
     */
    public record Island(String name, double difference, double tolerance) {
        /** Checks that there is a name. */
        public Island {
            Require.given(name, "name");
        }
    }

    /** Copies the list. */
    public HybridComparison {
        islands = List.copyOf(islands);
    }

    static HybridComparison of(
            NetworkView<?> network,
            List<FloatIsland> islands,
            Map<String, Batch.Floats> found,
            long differingIntegers) {
        List<Island> differences = new ArrayList<>();
        for (FloatIsland island : islands) {
            INDArray[] inputs =
                    island.inputs().stream()
                            .map(input -> array(read(island, input, value(found, input))))
                            .toArray(INDArray[]::new);
            float[] expected =
                    Detached.compute(() -> RowMajor.floats(result(network, island, inputs)));
            float[] values = value(found, island.output()).values();
            double largest = Float.MIN_NORMAL;
            double difference = 0;
            for (int i = 0; i < values.length; i++) {
                largest = Math.max(largest, Math.abs(expected[i]));
                difference = Math.max(difference, Math.abs((double) expected[i] - values[i]));
            }
            differences.add(
                    new Island(
                            island.name(),
                            difference / largest,
                            island.half() ? HALF_TOLERANCE : FLOAT_TOLERANCE));
        }
        return new HybridComparison(differingIntegers, differences);
    }

    /** {@return one of the model's results, by name} */
    static Batch.Floats value(Map<String, Batch.Floats> found, String name) {
        Batch.Floats batch = found.get(name);
        Require.state(batch != null, "the model gave no '%s'", name);
        return Objects.requireNonNull(batch);
    }

    /* DL4J's layer reads what the layer before it made, its function included. */
    private static Batch.Floats read(FloatIsland island, String input, Batch.Floats batch) {
        float[] values = batch.values().clone();
        for (OutputFunction function : island.body().before().getOrDefault(input, List.of())) {
            function.applyInPlace(values, batch.size(), batch.shape());
        }
        return Batch.Floats.of(batch.size(), batch.shape(), values);
    }

    private static INDArray array(Batch.Floats batch) {
        long[] sizes =
                LongStream.concat(
                                LongStream.of(batch.size()),
                                batch.shape().dimensions().stream().mapToLong(Integer::longValue))
                        .toArray();
        return RowMajor.array(batch.values().clone(), sizes);
    }

    private static INDArray result(NetworkView<?> network, FloatIsland island, INDArray[] inputs) {
        Layer layer = network.layer(island.name());
        if (layer != null) {
            return layer.activate(inputs[0], false, LayerWorkspaceMgr.noWorkspaces());
        }
        GraphVertex vertex = ((ComputationGraph) network.network()).getVertex(island.name());
        vertex.setInputs(inputs);
        return vertex.doForward(false, LayerWorkspaceMgr.noWorkspaces());
    }

    /** {@return whether the integer parts are exact and every island is within its tolerance} */
    public boolean isRight() {
        return differingIntegers == 0
                && islands.stream().allMatch(each -> each.difference() <= each.tolerance());
    }
}
