// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.function.Predicate;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;

/**
 * Which tensors can never be negative, so that their codes are unsigned.
 *
 * @param network the network
 * @param nonNegativeInput whether a network input's data are never negative
 */
record SignAnalysis(Topology<FusedStep> network, Predicate<String> nonNegativeInput) {

    boolean nonNegative(String tensor) {
        FusedStep step = network.step(tensor);
        return step == null ? nonNegativeInput.test(tensor) : nonNegative(step);
    }

    private boolean nonNegative(FusedStep step) {
        IActivation last = lastFunction(step);
        if (last != null && isNonNegative(last)) {
            return true;
        }
        boolean passesOn =
                Traits.preservesCodes(step)
                        || Traits.merges(step)
                        || (Traits.makesValues(step)
                                && last == null
                                && Traits.elementWise(step) != ElementWiseVertex.Op.Subtract);
        return passesOn
                && !Traits.changesInput(step)
                && step.inputs().stream().allMatch(this::nonNegative);
    }

    private static boolean isNonNegative(IActivation function) {
        return function.getClass() == ActivationSoftmax.class
                || PointwiseActivation.of(function)
                        .map(PointwiseActivation::nonNegative)
                        .orElse(false);
    }

    /** The function that makes the step's result, where it is the last thing done. */
    private static @Nullable IActivation lastFunction(FusedStep step) {
        if (step.activation() != null) {
            return step.activation();
        }
        Layer layer = step.thawed();
        if (layer != null && layer.getClass() == ActivationLayer.class) {
            return ((ActivationLayer) layer).getActivationFn();
        }
        // A layer that is not known by its exact class may do anything last.
        if (!Traits.isQuantizable(step)) {
            return null;
        }
        return layer instanceof ConvolutionLayer || layer instanceof DenseLayer
                ? ((BaseLayer) layer).getActivationFn()
                : null;
    }
}
