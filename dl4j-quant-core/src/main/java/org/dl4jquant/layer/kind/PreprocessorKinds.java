// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.List;
import org.deeplearning4j.nn.conf.preprocessor.Cnn3DToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.deeplearning4j.preprocessors.KerasFlattenRnnPreprocessor;
import org.deeplearning4j.preprocessors.PermutePreprocessor;
import org.deeplearning4j.preprocessors.ReshapePreprocessor;

/** The kinds of DL4J's preprocessors. */
final class PreprocessorKinds {

    private PreprocessorKinds() {}

    static void addTo(Registry kinds) {
        kinds.add(
                Lowering.MOST,
                (CnnToFeedForwardPreProcessor flatten) -> ReshapeKind.of(flatten),
                List.of(CnnToFeedForwardPreProcessor.class));
        kinds.add(
                Lowering.MOST,
                (FeedForwardToCnnPreProcessor toImages) -> ReshapeKind.of(toImages),
                List.of(FeedForwardToCnnPreProcessor.class));
        kinds.add(Lowering.MOST, ComposedKind::new, List.of(ComposableInputPreProcessor.class));
        kinds.add(
                Lowering.MOST,
                (Cnn3DToFeedForwardPreProcessor flatten) -> ReshapeKind.of(flatten),
                List.of(Cnn3DToFeedForwardPreProcessor.class));
        kinds.add(
                Lowering.MOST,
                (FeedForwardToCnn3DPreProcessor toVolumes) -> ReshapeKind.of(toVolumes),
                List.of(FeedForwardToCnn3DPreProcessor.class));
        kinds.add(
                Lowering.MOST,
                (RnnToFeedForwardPreProcessor split) -> TimeStepsKind.of(split),
                List.of(RnnToFeedForwardPreProcessor.class));
        kinds.add(
                Lowering.MOST,
                (RnnToCnnPreProcessor split) -> TimeStepsKind.of(split),
                List.of(RnnToCnnPreProcessor.class));
        kinds.add(
                Lowering.MOST,
                (FeedForwardToRnnPreProcessor join) -> TimeStepsKind.of(join),
                List.of(FeedForwardToRnnPreProcessor.class));
        kinds.add(
                Lowering.MOST,
                (CnnToRnnPreProcessor join) -> TimeStepsKind.of(join),
                List.of(CnnToRnnPreProcessor.class));
        addKeras(kinds);
    }

    private static void addKeras(Registry kinds) {
        kinds.add(
                Lowering.MOST,
                (PermutePreprocessor permute) -> KerasPreprocessorKind.of(permute),
                List.of(PermutePreprocessor.class));
        kinds.add(
                Lowering.MOST,
                (ReshapePreprocessor reshape) -> KerasPreprocessorKind.of(reshape),
                List.of(ReshapePreprocessor.class));
        kinds.add(
                Lowering.MOST,
                (KerasFlattenRnnPreprocessor flatten) -> KerasPreprocessorKind.of(flatten),
                List.of(KerasFlattenRnnPreprocessor.class));
    }
}
