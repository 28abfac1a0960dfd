// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.function.Predicate;
import org.dl4jquant.layer.LayerFunctions;
import org.dl4jquant.network.Topology;
import org.nd4j.linalg.activations.IActivation;

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
        IActivation last = step.lastFunction();
        if (last != null && LayerFunctions.isNonNegative(last)) {
            return true;
        }
        return step.kind().keepsSign()
                && !step.changesInput()
                && step.inputs().stream().allMatch(this::nonNegative);
    }
}
