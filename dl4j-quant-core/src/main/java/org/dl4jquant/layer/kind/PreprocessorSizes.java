// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.preprocessor.Cnn3DToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.Step;

/** Numbers of channels in the configurations of DL4J's preprocessors. */
final class PreprocessorSizes {

    private static final int SEQUENCES_CHANNELS_LAST = 2;

    private PreprocessorSizes() {}

    /**
     * {@return a preprocessor changed to another number of channels or features of its input}
     *
     * @param before the preprocessor
     * @param axis the dimension that numbers them
     * @param difference how many there are more
     */
    static Resized reading(InputPreProcessor before, int axis, long difference) {
        if (before instanceof ComposableInputPreProcessor composed) {
            return composed(composed, axis, difference);
        }
        if (before instanceof CnnToFeedForwardPreProcessor flat) {
            long elements = elements(flat.getInputHeight(), flat.getInputWidth());
            long channels = Sizes.more(flat.getNumChannels(), difference);
            return vectors(
                    new CnnToFeedForwardPreProcessor(
                            flat.getInputHeight(),
                            flat.getInputWidth(),
                            channels,
                            flat.getFormat()),
                    difference * elements);
        }
        if (before instanceof Cnn3DToFeedForwardPreProcessor flat) {
            long elements =
                    elements(flat.getInputDepth(), flat.getInputHeight(), flat.getInputWidth());
            return vectors(
                    new Cnn3DToFeedForwardPreProcessor(
                            flat.getInputDepth(),
                            flat.getInputHeight(),
                            flat.getInputWidth(),
                            Sizes.more(flat.getNumChannels(), difference),
                            flat.isNCDHW()),
                    difference * elements);
        }
        if (before instanceof CnnToRnnPreProcessor flat) {
            long elements = elements(flat.getInputHeight(), flat.getInputWidth());
            return new Resized(
                    new CnnToRnnPreProcessor(
                            flat.getInputHeight(),
                            flat.getInputWidth(),
                            Sizes.more(flat.getNumChannels(), difference),
                            flat.getRnnDataFormat()),
                    axis(flat.getRnnDataFormat()),
                    difference * elements);
        }
        return before instanceof FeedForwardToRnnPreProcessor steps
                ? new Resized(steps, axis(steps.getRnnDataFormat()), difference)
                : toImages(before, difference);
    }

    private static Resized composed(ComposableInputPreProcessor all, int axis, long difference) {
        InputPreProcessor[] parts = all.getInputPreProcessors().clone();
        Resized last = new Resized(all, axis, difference);
        for (int i = 0; i < parts.length; i++) {
            last = LayerKinds.of(parts[i]).reading(last.axis(), last.difference());
            parts[i] = (InputPreProcessor) last.configuration();
        }
        return new Resized(new ComposableInputPreProcessor(parts), last.axis(), last.difference());
    }

    private static Resized toImages(InputPreProcessor before, long difference) {
        if (before instanceof FeedForwardToCnnPreProcessor images) {
            long more =
                    divided(difference, elements(images.getInputHeight(), images.getInputWidth()));
            return vectors(
                    new FeedForwardToCnnPreProcessor(
                            images.getInputHeight(),
                            images.getInputWidth(),
                            Sizes.more(images.getNumChannels(), more)),
                    more);
        }
        if (before instanceof FeedForwardToCnn3DPreProcessor volumes) {
            long elements =
                    elements(
                            volumes.getInputDepth(),
                            volumes.getInputHeight(),
                            volumes.getInputWidth());
            long more = divided(difference, elements);
            return new Resized(
                    new FeedForwardToCnn3DPreProcessor(
                            volumes.getInputDepth(),
                            volumes.getInputHeight(),
                            volumes.getInputWidth(),
                            Math.toIntExact(Sizes.more(volumes.getNumChannels(), more)),
                            volumes.isNCDHW()),
                    volumes.isNCDHW() ? LayerKind.CHANNELS_FIRST : 4,
                    more);
        }
        if (before instanceof RnnToCnnPreProcessor images) {
            long more =
                    divided(difference, elements(images.getInputHeight(), images.getInputWidth()));
            return vectors(
                    new RnnToCnnPreProcessor(
                            images.getInputHeight(),
                            images.getInputWidth(),
                            Math.toIntExact(Sizes.more(images.getNumChannels(), more)),
                            images.getRnnDataFormat()),
                    more);
        }
        Require.argument(
                before instanceof RnnToFeedForwardPreProcessor,
                "nothing is known of the sizes of its preprocessor, a %s",
                Step.typeOf(before));
        return vectors(before, difference);
    }

    private static Resized vectors(InputPreProcessor after, long difference) {
        return new Resized(after, LayerKind.CHANNELS_FIRST, difference);
    }

    private static int axis(RNNFormat format) {
        return format == RNNFormat.NWC ? SEQUENCES_CHANNELS_LAST : LayerKind.CHANNELS_FIRST;
    }

    private static long elements(long... sides) {
        long product = 1;
        for (long side : sides) {
            Require.argument(
                    side > 0, "its preprocessor does not say the size of the images; set it");
            product *= side;
        }
        return product;
    }

    private static long divided(long difference, long elements) {
        Require.argument(
                difference % elements == 0,
                "its preprocessor makes channels of %d elements, and %d features more are no whole"
                        + " number of them; change by a multiple of %d",
                elements,
                difference,
                elements);
        return difference / elements;
    }
}
