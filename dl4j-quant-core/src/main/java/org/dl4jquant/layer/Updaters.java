// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Objects;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.UpdaterStates;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Changes the learning rate or the updater of a network while it trains.
 *
 * <p>DL4J's own {@code setLearningRate} and the updater of a {@code FineTuneConfiguration} pass by
 * every layer that has a wrapper around it, and so by every quantized layer, without a word. These
 * calls reach all layers that learn, quantized or not, alone or inside wrappers, and the scales
 * with them; frozen layers stay as they are, and so does an updater that a layer has for its biases
 * only. The change is in the configuration, and thus in the model file.
 */
public final class Updaters {

    private Updaters() {}

    /**
     * Sets the learning rate; schedules are removed. What the updaters remember (momentum and the
     * like) stays.
     *
     * @param network an initialized network
     * @param rate the new rate, at least 0
     * @throws IllegalArgumentException if the rate is negative, infinite or NaN, or the network is
     *     not initialized
     */
    public static void setLearningRate(MultiLayerNetwork network, double rate) {
        change(NetworkView.of(network), rateOf(rate), true);
    }

    /**
     * Sets the learning rate; schedules are removed. What the updaters remember (momentum and the
     * like) stays.
     *
     * @param network an initialized network
     * @param rate the new rate, at least 0
     * @throws IllegalArgumentException if the rate is negative, infinite or NaN, or the network is
     *     not initialized
     */
    public static void setLearningRate(ComputationGraph network, double rate) {
        change(NetworkView.of(network), rateOf(rate), true);
    }

    /**
     * Lets the learning rate follow a schedule. What the updaters remember stays.
     *
     * @param network an initialized network
     * @param schedule the rate by iteration or epoch
     * @throws IllegalArgumentException if the network is not initialized
     */
    public static void setLearningRate(MultiLayerNetwork network, ISchedule schedule) {
        change(NetworkView.of(network), rateOf(schedule), true);
    }

    /**
     * Lets the learning rate follow a schedule. What the updaters remember stays.
     *
     * @param network an initialized network
     * @param schedule the rate by iteration or epoch
     * @throws IllegalArgumentException if the network is not initialized
     */
    public static void setLearningRate(ComputationGraph network, ISchedule schedule) {
        change(NetworkView.of(network), rateOf(schedule), true);
    }

    /**
     * Gives all layers another updater, whose state starts afresh.
     *
     * @param network an initialized network
     * @param updater the new updater
     * @throws IllegalArgumentException if the network is not initialized
     */
    public static void replace(MultiLayerNetwork network, IUpdater updater) {
        Objects.requireNonNull(updater, "updater");
        change(NetworkView.of(network), old -> updater.clone(), false);
    }

    /**
     * Gives all layers another updater, whose state starts afresh.
     *
     * @param network an initialized network
     * @param updater the new updater
     * @throws IllegalArgumentException if the network is not initialized
     */
    public static void replace(ComputationGraph network, IUpdater updater) {
        Objects.requireNonNull(updater, "updater");
        change(NetworkView.of(network), old -> updater.clone(), false);
    }

    private static UnaryOperator<IUpdater> rateOf(double rate) {
        Require.argument(
                rate >= 0 && Double.isFinite(rate),
                "learning rate %s; it must be a number that is not negative",
                rate);
        return old -> {
            IUpdater changed = old.clone();
            if (changed.hasLearningRate()) {
                changed.setLrAndSchedule(rate, null);
            }
            return changed;
        };
    }

    private static UnaryOperator<IUpdater> rateOf(ISchedule schedule) {
        Objects.requireNonNull(schedule, "schedule");
        return old -> {
            IUpdater changed = old.clone();
            if (changed.hasLearningRate()) {
                changed.setLrAndSchedule(Double.NaN, schedule.clone());
            }
            return changed;
        };
    }

    private static void change(
            NetworkView<?> network, UnaryOperator<IUpdater> change, boolean keepState) {
        Require.argument(
                network.initialized(), "the network has no parameters yet; call init() first");
        network.madeUpdater();
        UpdaterStates state = UpdaterStates.of(network);
        network.layers().forEach(layer -> change(layer.conf().getLayer(), change));
        network.resetUpdater();
        if (keepState) {
            network.madeUpdater();
            state.copyTo(UpdaterStates.of(network));
        }
    }

    private static void change(Layer layer, UnaryOperator<IUpdater> change) {
        if (layer instanceof BaseLayer base) {
            IUpdater old = base.getIUpdater();
            if (old != null) {
                base.setIUpdater(change.apply(old));
            }
        } else if (layer instanceof AbstractSameDiffLayer defined) {
            IUpdater old = defined.getUpdater();
            if (old != null) {
                defined.setUpdater(change.apply(old));
            }
        } else {
            changeInside(layer, change);
        }
    }

    private static void changeInside(Layer layer, UnaryOperator<IUpdater> change) {
        if (layer instanceof Bidirectional both) {
            change(both.getFwd(), change);
            change(both.getBwd(), change);
        } else if (layer instanceof BaseWrapperLayer wrapper
                && !(layer instanceof FrozenLayerWithBackprop)) {
            change(wrapper.getUnderlying(), change);
            if (layer instanceof QuantizedLayer quantized) {
                changeAround(quantized, change);
            }
        }
    }

    private static void changeAround(QuantizedLayer layer, UnaryOperator<IUpdater> change) {
        BatchNormalization normalization = layer.batchNormalization();
        if (normalization != null) {
            change(normalization, change);
        }
        IUpdater ofScales = layer.scaleUpdater();
        if (ofScales != null) {
            layer.setScaleUpdater(change.apply(ofScales));
        }
    }
}
