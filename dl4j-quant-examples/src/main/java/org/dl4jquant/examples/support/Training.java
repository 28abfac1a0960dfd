// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.support;

import java.util.Collection;
import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.examples.data.LabelledImages;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * How the examples train: plain {@code fit}, with a learning rate that falls by the same factor in
 * each iteration.
 *
 * @param images the images to train with
 * @param epochs how often the network sees every image, above 0
 * @param seed decides over the order of the images
 * @param learningRate Adam's first one in float; with quantizers it is smaller
 */
public record Training(LabelledImages images, int epochs, long seed, double learningRate) {

    /** How many images make one iteration. */
    public static final int BATCH = 32;

    /** Adam's first learning rate in float, unless a network needs another. */
    public static final double FLOAT_RATE = 1e-3;

    /* LSQ trains 8 bits at a hundredth of the float network's rate, and fewer bits at a tenth, with
     * SGD on ImageNet (Esser et al., 2020, section 3). With Adam on digits a bit more does better. */
    private static final double PART_FROM_7_BITS = 0.1;
    private static final double PART_BELOW_7_BITS = 0.5;
    private static final int HIGH_BITS = 7;

    /* The last learning rate, as a share of the first. */
    private static final double LAST_RATE = 0.02;

    public Training {
        Require.argument(epochs > 0, "%d epochs; one at least is needed", epochs);
    }

    /**
     * A training at the usual rate.
     *
     * @param images as above
     * @param epochs as above
     * @param seed as above
     */
    public Training(LabelledImages images, int epochs, long seed) {
        this(images, epochs, seed, FLOAT_RATE);
    }

    /** Returns the training that follows on this one when quantizers have been put in. */
    public Training forFineTuning() {
        return new Training(images, (epochs + 1) / 2, seed, learningRate);
    }

    /** Returns the learning rates of a float network. */
    public ISchedule floatRate() {
        return rate(learningRate);
    }

    /** Returns the learning rates of a quantized network, which only needs fine-tuning. */
    public ISchedule quantizedRate(int bits) {
        return rate(learningRate * (bits < HIGH_BITS ? PART_BELOW_7_BITS : PART_FROM_7_BITS));
    }

    /** Returns learning rates that fall from this one. */
    public ISchedule rate(double first) {
        double perIteration = StrictMath.pow(LAST_RATE, 1.0 / (epochs * iterationsPerEpoch()));
        return new ExponentialSchedule(ScheduleType.ITERATION, first, perIteration);
    }

    private int iterationsPerEpoch() {
        return (images.size() + BATCH - 1) / BATCH;
    }

    /** Trains a network, quantized or not, and logs how far it has come. */
    public void fit(MultiLayerNetwork network) {
        TrainingListener progress = new Progress(epochs, iterationsPerEpoch());
        network.addListeners(progress);
        network.fit(images.shuffled(BATCH, seed), epochs);
        network.setListeners(without(progress, network.getListeners()));
    }

    /** Trains a graph, quantized or not, and logs how far it has come. */
    public void fit(ComputationGraph network) {
        TrainingListener progress = new Progress(epochs, iterationsPerEpoch());
        network.addListeners(progress);
        network.fit(images.shuffled(BATCH, seed), epochs);
        network.setListeners(without(progress, network.getListeners()));
    }

    private static List<TrainingListener> without(
            TrainingListener one, Collection<TrainingListener> all) {
        return all.stream().filter(listener -> listener != one).toList();
    }
}
