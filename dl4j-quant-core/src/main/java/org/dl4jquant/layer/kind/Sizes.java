// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Arrays;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.Frozen;
import org.dl4jquant.network.Step;

/** Numbers of inputs and outputs in the configurations of layers, as most kinds have them. */
final class Sizes {

    private Sizes() {}

    /**
     * {@return a configuration changed to other inputs}
     *
     * @param kind its kind
     * @param axis the dimension that numbers the inputs' channels or features
     * @param differences how many each input has more
     */
    static Resized reading(LayerKind kind, int axis, long... differences) {
        if (kind.configuration() instanceof InputPreProcessor before) {
            return PreprocessorSizes.reading(before, axis, differences[0]);
        }
        return switch (kind.flow()) {
            case COMPUTES -> computing(kind, differences[0]);
            case MOVES, PICKS, AVERAGES, NORMALIZES, ADDS, COMBINES, RESCALES, LOSS ->
                    following(kind.configuration(), axis, differences);
            case READS_INDICES ->
                    throw new IllegalArgumentException("it reads indices, which have no channels");
            case CONCATENATES, UNKNOWN -> throw unknown(kind.configuration());
        };
    }

    /** {@return a step that has no sizes: its result has as many channels as its inputs} */
    static Resized following(Object configuration, int axis, long... differences) {
        Require.argument(
                Arrays.stream(differences).allMatch(difference -> difference == differences[0]),
                "the numbers of channels of its inputs would change by %s, and must change alike",
                Arrays.toString(differences));
        boolean vectors =
                configuration instanceof GlobalPoolingLayer pool && pool.isCollapseDimensions();
        return new Resized(
                configuration, vectors ? LayerKind.CHANNELS_FIRST : axis, differences[0]);
    }

    /** {@return a layer whose number of outputs is that of its inputs} */
    static Resized equalSizes(FeedForwardLayer layer, int axis, long difference) {
        FeedForwardLayer copy = (FeedForwardLayer) layer.clone();
        copy.setNIn(more(layer.getNIn(), difference));
        copy.setNOut(copy.getNIn());
        return new Resized(copy, axis, difference);
    }

    /** {@return a number after a change, which is above 0} */
    static long more(long number, long difference) {
        Require.argument(
                number + difference > 0,
                "its %d inputs would become %d; they must stay above 0",
                number,
                number + difference);
        return number + difference;
    }

    private static IllegalArgumentException unknown(Object configuration) {
        return new IllegalArgumentException(
                "nothing is known of the sizes of a " + Step.typeOf(configuration));
    }

    private static Resized computing(LayerKind kind, long difference) {
        int axis = kind.channelAxis();
        Layer layer = (Layer) kind.configuration();
        if (layer instanceof ElementWiseMultiplicationLayer factors) {
            return equalSizes(factors, axis, difference);
        }
        if (layer instanceof FeedForwardLayer weighted) {
            FeedForwardLayer copy = (FeedForwardLayer) weighted.clone();
            copy.setNIn(more(weighted.getNIn(), difference));
            return new Resized(copy, axis, 0);
        }
        if (layer instanceof PReLULayer slopes) {
            PReLULayer copy = (PReLULayer) slopes.clone();
            long[] shape = slopes.getInputShape().clone();
            shape[0] = more(shape[0], difference);
            copy.setInputShape(shape);
            return new Resized(copy, axis, difference);
        }
        if (layer instanceof LocallyConnected2D local) {
            LocallyConnected2D copy = (LocallyConnected2D) local.clone();
            copy.setNIn(more(local.getNIn(), difference));
            return new Resized(defined(copy), axis, 0);
        }
        if (layer instanceof RecurrentAttentionLayer attention) {
            RecurrentAttentionLayer copy = (RecurrentAttentionLayer) attention.clone();
            copy.setNIn(more(attention.getNIn(), difference));
            copy.setLayerParams(null);
            return new Resized(copy, axis, 0);
        }
        if (layer instanceof Bidirectional || layer instanceof BaseWrapperLayer) {
            return new Resized(
                    inside(
                            layer,
                            inner ->
                                    (Layer)
                                            reading(LayerKinds.of(inner), axis, difference)
                                                    .configuration()),
                    axis,
                    0);
        }
        throw unknown(layer);
    }

    private static LocallyConnected2D defined(LocallyConnected2D local) {
        local.computeOutputSize();
        local.setLayerParams(null);
        return local;
    }

    private static Layer inside(Layer wrapper, UnaryOperator<Layer> change) {
        Layer copy = wrapper.clone();
        if (copy instanceof Bidirectional both) {
            both.setFwd(change.apply(thawed(both.getFwd())));
            both.setBwd(change.apply(thawed(both.getBwd())));
            both.setInitializer(null); // knows the former sizes
        } else {
            BaseWrapperLayer one = (BaseWrapperLayer) copy;
            one.setUnderlying(change.apply(thawed(one.getUnderlying())));
        }
        return copy;
    }

    private static Layer thawed(Layer inner) {
        Require.argument(
                !Frozen.is(inner),
                "the layer inside it is frozen, so new weights would never learn");
        return inner;
    }

    /**
     * {@return the number of outputs that a layer has of its own; empty without}
     *
     * @param kind its kind
     */
    static OptionalLong outputs(LayerKind kind) {
        Object layer = kind.configuration();
        if (!kind.flow().hasWeights() || layer instanceof ElementWiseMultiplicationLayer) {
            return OptionalLong.empty();
        }
        if (layer instanceof FeedForwardLayer weighted) {
            return OptionalLong.of(weighted.getNOut());
        }
        if (layer instanceof LocallyConnected2D local) {
            return OptionalLong.of(local.getNOut());
        }
        if (layer instanceof Bidirectional both) {
            return LayerKinds.of(both.getFwd()).outputs();
        }
        return layer instanceof BaseWrapperLayer wrapper
                ? LayerKinds.of(wrapper.getUnderlying()).outputs()
                : OptionalLong.empty();
    }

    /**
     * {@return a layer changed to another number of outputs}
     *
     * @param kind its kind, which has {@link #outputs}
     * @param number the number
     */
    static Resized withOutputs(LayerKind kind, long number) {
        Layer layer = (Layer) kind.configuration();
        long difference = number - outputs(kind).orElseThrow();
        if (layer instanceof FeedForwardLayer weighted) {
            FeedForwardLayer copy = (FeedForwardLayer) weighted.clone();
            copy.setNOut(number);
            return new Resized(copy, kind.channelAxis(), difference);
        }
        if (layer instanceof LocallyConnected2D local) {
            LocallyConnected2D copy = (LocallyConnected2D) local.clone();
            copy.setNOut(number);
            return new Resized(defined(copy), kind.channelAxis(), difference);
        }
        boolean twice =
                layer instanceof Bidirectional both && both.getMode() == Bidirectional.Mode.CONCAT;
        return new Resized(
                inside(
                        layer,
                        inner -> (Layer) withOutputs(LayerKinds.of(inner), number).configuration()),
                kind.channelAxis(),
                twice ? 2 * difference : difference);
    }
}
