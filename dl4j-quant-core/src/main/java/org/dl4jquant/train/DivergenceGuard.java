// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stops a training that has diverged, in the iteration in which it happens: when a scale, another
 * parameter or the loss is NaN or infinite.
 *
 * <p>It stands before all other listeners, so that none of them saves the ruined network: the last
 * checkpoint stays good.
 */
public final class DivergenceGuard extends BaseTrainingListener {

    private static final String REMEDY =
            "training has diverged. Go back to the last good checkpoint, and lower the learning rate"
                    + " or clip the gradients";

    private DivergenceGuard() {}

    /**
     * Watches over a network.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if it has no quantized layer
     */
    public static void attachTo(MultiLayerNetwork network) {
        Require.given(network, "network");
        new TrainedNetwork(network).listenFirst(new DivergenceGuard());
    }

    /**
     * Watches over a network.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if it has no quantized layer
     */
    public static void attachTo(ComputationGraph network) {
        Require.given(network, "network");
        new TrainedNetwork(network).listenFirst(new DivergenceGuard());
    }

    /**
     * DL4J calls this after each iteration.
     *
     * @throws IllegalStateException if the training has diverged; the message names layer,
     *     parameter, epoch, iteration and remedy
     */
    @Override
    public void iterationDone(Model model, int iteration, int epoch) {
        if (!isFinite(model.params())) {
            for (Layer layer : new TrainedNetwork(model).layers()) {
                check(layer, iteration, epoch);
            }
        }
        Require.state(
                Double.isFinite(model.score()),
                "epoch %d, iteration %d: the loss is %s, although all parameters are finite: it overflows"
                        + " or is not defined for what the network returns. Look at the labels of"
                        + " this batch; if the loss has grown before, %s",
                epoch,
                iteration,
                model.score(),
                REMEDY);
    }

    /* One sum over all parameters is quick, and not finite if any of them is not. */
    private static boolean isFinite(INDArray values) {
        return Double.isFinite(values.sumNumber().doubleValue());
    }

    private static void check(Layer layer, int iteration, int epoch) {
        for (Map.Entry<String, INDArray> parameter : layer.paramTable().entrySet()) {
            boolean scale = parameter.getKey().startsWith(TensorRole.SCALE);
            Require.state(
                    isFinite(parameter.getValue()),
                    "layer \"%s\", epoch %d, iteration %d: %s \"%s\" is NaN or infinite; %s",
                    String.valueOf(layer.conf().getLayer().getLayerName()),
                    epoch,
                    iteration,
                    scale ? "the scale" : "the parameter",
                    parameter.getKey(),
                    REMEDY);
        }
    }
}
