// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.nd.Detached;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reports in every n-th iteration of a quantized network how each of its quantizers does: a
 * listener for plain {@code fit}.
 *
 * <pre>{@code
 * try (QuantizerListener watching =
 *         QuantizerListener.every(100, StatisticsSink.log(), StatisticsSink.jsonLines(file))) {
 *     quantized.addListeners(watching);
 *     quantized.fit(train, epochs);
 * }
 * }</pre>
 *
 * <p>It only reads: parameters, updater and random numbers are the same bit for bit with it and
 * without it. In other iterations it does nothing. The copies of a network that train in parallel
 * may share one.
 */
public final class QuantizerListener extends BaseTrainingListener implements AutoCloseable {

    /* Activations can be seen between forward and backward only, gradients between backward and
     * update: DL4J has a call for each. */

    private final int iterations;
    private final List<StatisticsSink> sinks;
    private final Map<Model, List<Seen>> seen =
            Collections.synchronizedMap(new IdentityHashMap<>());

    /** The statistics of a quantizer that lack the gradient, and where that will be found. */
    private record Seen(
            QuantizerStatistics statistics, LayerGradients gradients, @Nullable String scales) {}

    private QuantizerListener(int iterations, List<StatisticsSink> sinks) {
        this.iterations = iterations;
        this.sinks = sinks;
    }

    /**
     * {@return a listener for one training}
     *
     * @param iterations reports are made in iterations 0, n, 2n, ... of the network's own count;
     *     above 0
     * @param sinks where the reports go, one at least; closed with the listener
     */
    public static QuantizerListener every(int iterations, StatisticsSink... sinks) {
        Require.given(sinks, "sinks");
        Require.argument(
                iterations > 0,
                "reports of quantizers every %d iterations; it must be 1 or more, and should be 10"
                        + " or more, because an iteration with a report takes longer",
                iterations);
        Require.argument(
                sinks.length > 0,
                "reports of quantizers go to no sink; name one, such as StatisticsSink.log()");
        return new QuantizerListener(iterations, List.of(sinks));
    }

    /** DL4J calls this in each iteration of a {@link MultiLayerNetwork}. */
    @Override
    public void onForwardPass(Model model, List<INDArray> activations) {
        MultiLayerNetwork network = (MultiLayerNetwork) model;
        if (isReported(network.getIterationCount())) {
            Layer[] layers = network.getLayers();
            List<Seen> all = new ArrayList<>();
            for (int i = 0; i < layers.length; i++) {
                look(
                        layers[i],
                        String.valueOf(i),
                        network.getIterationCount(),
                        network.getEpochCount(),
                        all);
            }
            keep(model, all);
        }
    }

    /** DL4J calls this in each iteration of a {@link ComputationGraph}. */
    @Override
    public void onForwardPass(Model model, Map<String, INDArray> activations) {
        ComputationGraph graph = (ComputationGraph) model;
        if (isReported(graph.getIterationCount())) {
            List<Seen> all = new ArrayList<>();
            for (Layer layer : graph.getLayers()) {
                look(layer, name(layer), graph.getIterationCount(), graph.getEpochCount(), all);
            }
            keep(model, all);
        }
    }

    private boolean isReported(int iteration) {
        return iteration % iterations == 0;
    }

    private static String name(Layer layer) {
        return String.valueOf(layer.conf().getLayer().getLayerName());
    }

    private void keep(Model model, List<Seen> all) {
        Require.state(
                !all.isEmpty(),
                "the network that this listener watches has no quantizers, in any of its layers;"
                        + " let the listener watch what Quantization.prepare returns");
        seen.put(model, all);
    }

    private static void look(
            Layer layer, String parameters, int iteration, int epoch, List<Seen> into) {
        LayerGradients gradients = new LayerGradients(layer);
        Detached.run(
                () ->
                        QuantizedLayers.tensors(layer)
                                .forEach(
                                        tensor -> {
                                            Measured measured = Measured.of(tensor);
                                            into.add(
                                                    new Seen(
                                                            measured.statistics(
                                                                    iteration,
                                                                    epoch,
                                                                    name(layer),
                                                                    parameters),
                                                            gradients,
                                                            measured.scaleParameter()));
                                        }));
    }

    /** DL4J calls this when the gradient is known, before the update. */
    @Override
    public void onGradientCalculation(Model model) {
        List<Seen> all = seen.remove(model);
        if (all == null) {
            return;
        }
        List<QuantizerStatistics> complete = new ArrayList<>();
        Detached.run(() -> all.forEach(one -> complete.add(complete(one))));
        synchronized (this) {
            sinks.forEach(sink -> sink.report(List.copyOf(complete)));
        }
    }

    private static QuantizerStatistics complete(Seen one) {
        return one.statistics()
                .withGradientRatio(one.gradients().ratio(one.statistics().tensor(), one.scales()));
    }

    /** DL4J calls this after each iteration. */
    @Override
    public void iterationDone(Model model, int iteration, int epoch) {}

    /** Closes the sinks; the network may keep this listener, but must not train with it. */
    @Override
    public void close() {
        sinks.forEach(StatisticsSink::close);
    }
}
