// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.TimeStepsForm;
import org.dl4jquant.numeric.Shape;

/**
 * A preprocessor that makes a batch of the time steps of sequences, or the reverse.
 *
 * @param configuration the configuration
 * @param batches whether it makes a batch of steps, or sequences of a batch
 * @param integers its integer form
 */
record TimeStepsKind(InputPreProcessor configuration, Batches batches, IntegerSupport integers)
        implements LayerKind {

    static LayerKind of(RnnToFeedForwardPreProcessor split) {
        return new TimeStepsKind(
                split, Batches.STACKED, TimeStepsForm.split(split.getRnnDataFormat(), Shape::of));
    }

    static LayerKind of(RnnToCnnPreProcessor split) {
        return new TimeStepsKind(
                split,
                Batches.STACKED,
                TimeStepsForm.split(
                        split.getRnnDataFormat(),
                        features ->
                                Shape.of(
                                        split.getNumChannels(),
                                        split.getInputHeight(),
                                        split.getInputWidth())));
    }

    static LayerKind of(FeedForwardToRnnPreProcessor join) {
        return new TimeStepsKind(join, Batches.APART, TimeStepsForm.join(join.getRnnDataFormat()));
    }

    static LayerKind of(CnnToRnnPreProcessor join) {
        return new TimeStepsKind(join, Batches.APART, TimeStepsForm.join(join.getRnnDataFormat()));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }
}
