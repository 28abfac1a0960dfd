// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.Cnn3DToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.ReshapeForm;

/**
 * A preprocessor that makes vectors of images or volumes, or these of vectors.
 *
 * @param configuration the configuration
 * @param integers its integer form, or why it has none
 */
record ReshapeKind(InputPreProcessor configuration, IntegerSupport integers) implements LayerKind {

    static LayerKind of(CnnToFeedForwardPreProcessor flatten) {
        return new ReshapeKind(flatten, ReshapeForm.of(flatten));
    }

    static LayerKind of(FeedForwardToCnnPreProcessor toImages) {
        return new ReshapeKind(toImages, ReshapeForm.of(toImages));
    }

    static LayerKind of(Cnn3DToFeedForwardPreProcessor flatten) {
        return new ReshapeKind(flatten, ReshapeForm.of(flatten));
    }

    static LayerKind of(FeedForwardToCnn3DPreProcessor toVolumes) {
        return new ReshapeKind(toVolumes, ReshapeForm.of(toVolumes));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public boolean passesValues() {
        return true;
    }
}
