// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Draws numbers, options, functions, and what is joined to a layer. */
final class Dice {

    private static final List<IActivation> FUNCTIONS = ActivationFunctions.all().toList();

    private final Random random;

    Dice(long seed) {
        this.random = new Random(seed);
    }

    /** A user's function, and one that DL4J's own class would not compute. */
    private static final class Shifted extends ActivationReLU {
        @Override
        public INDArray getActivation(INDArray in, boolean training) {
            return super.getActivation(in, training).addi(0.5);
        }
    }

    int next(int bound) {
        return random.nextInt(bound);
    }

    int from(int least, int most) {
        return least + random.nextInt(most - least + 1);
    }

    boolean one(int in) {
        return random.nextInt(in) == 0;
    }

    @SafeVarargs
    final <T> T pick(T... values) {
        return values[random.nextInt(values.length)];
    }

    int[] pair(int least, int most) {
        return new int[] {from(least, most), from(least, most)};
    }

    ConvolutionMode mode() {
        return pick(ConvolutionMode.Same, ConvolutionMode.Truncate, ConvolutionMode.Strict);
    }

    IActivation function() {
        return switch (random.nextInt(12)) {
            case 0, 1 -> new ActivationIdentity();
            case 2, 3 -> new ActivationReLU();
            case 4 -> one(2) ? FUNCTIONS.get(0) : one(3) ? new Shifted() : new ActivationSoftmax();
            default -> FUNCTIONS.get(random.nextInt(FUNCTIONS.size()));
        };
    }

    /** Of a recurrence, whose states would grow without bounds or jump. */
    Activation bounded() {
        return pick(Activation.TANH, Activation.SIGMOID, Activation.SOFTSIGN, Activation.HARDTANH);
    }

    BatchNormalization normalization() {
        BatchNormalization.Builder builder =
                new BatchNormalization.Builder().eps(pick(1e-5, 1e-3)).useLogStd(one(2));
        if (one(4)) {
            builder.lockGammaBeta(true).gamma(pick(1.0, -0.7)).beta(pick(0.0, 0.4));
        }
        return builder.build();
    }

    /**
     * Adds a layer with what is joined to it: a batch normalization, an activation layer, or both.
     */
    void arithmetic(List<Layer> layers, Layer layer) {
        layers.add(layer);
        if (one(4)) {
            ((BaseLayer) layer).setActivationFn(new ActivationIdentity());
            if (!one(3)) {
                layers.add(normalization());
            }
            if (!one(3)) {
                layers.add(new ActivationLayer(function()));
            }
        }
    }
}
