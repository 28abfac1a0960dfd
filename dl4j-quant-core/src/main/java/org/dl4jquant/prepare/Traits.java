// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Arrays;
import java.util.Set;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.Pooling1D;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SpaceToBatchLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.Upsampling3D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPadding3DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping3D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.conf.preprocessor.Cnn3DToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.dl4jquant.layer.MaxPoolingLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.network.Frozen;
import org.jspecify.annotations.Nullable;

/** What each kind of DL4J layer and vertex does to codes. */
final class Traits {

    private Traits() {}

    /** Layers with weights that were shown to train rightly when their weights are rounded. */
    @SuppressWarnings("deprecation") // models with GravesLSTM are still about
    private static final Set<Class<?>> QUANTIZABLE =
            Set.of(
                    AutoEncoder.class,
                    Bidirectional.class,
                    CenterLossOutputLayer.class,
                    Convolution1D.class,
                    Convolution1DLayer.class,
                    Convolution2D.class,
                    Convolution3D.class,
                    ConvolutionLayer.class,
                    Deconvolution2D.class,
                    DenseLayer.class,
                    DepthwiseConvolution2D.class,
                    ElementWiseMultiplicationLayer.class,
                    EmbeddingLayer.class,
                    EmbeddingSequenceLayer.class,
                    GravesLSTM.class,
                    LSTM.class,
                    LastTimeStep.class,
                    LocallyConnected2D.class,
                    OutputLayer.class,
                    PReLULayer.class,
                    RecurrentAttentionLayer.class,
                    RnnOutputLayer.class,
                    SelfAttentionLayer.class,
                    SeparableConvolution2D.class,
                    SimpleRnn.class,
                    TimeDistributed.class,
                    VariationalAutoencoder.class);

    /** Layers that move or repeat elements, or add zeros, so that codes stay codes. */
    private static final Set<Class<?>> PRESERVING_LAYERS =
            Set.of(
                    Cropping1D.class,
                    Cropping2D.class,
                    Cropping3D.class,
                    DropoutLayer.class,
                    RepeatVector.class,
                    SpaceToBatchLayer.class,
                    SpaceToDepthLayer.class,
                    Upsampling1D.class,
                    Upsampling2D.class,
                    Upsampling3D.class,
                    ZeroPadding1DLayer.class,
                    ZeroPadding3DLayer.class,
                    ZeroPaddingLayer.class);

    private static final Set<Class<?>> PRESERVING_VERTICES =
            Set.of(
                    DuplicateToTimeSeriesVertex.class,
                    LastTimeStepVertex.class,
                    PoolHelperVertex.class,
                    PreprocessorVertex.class,
                    ReshapeVertex.class,
                    ReverseTimeSeriesVertex.class,
                    SubsetVertex.class,
                    UnstackVertex.class);

    private static final Set<Class<?>> LOSSES =
            Set.of(
                    Cnn3DLossLayer.class,
                    CnnLossLayer.class,
                    LossLayer.class,
                    RnnLossLayer.class,
                    Yolo2OutputLayer.class);

    /** Layers that pool, each window or all of an example. */
    private static final Set<Class<?>> POOLS =
            Set.of(
                    GlobalPoolingLayer.class,
                    Pooling1D.class,
                    Pooling2D.class,
                    Subsampling1DLayer.class,
                    Subsampling3DLayer.class,
                    SubsamplingLayer.class);

    /** Preprocessors that move elements and change none. */
    private static final Set<Class<?>> MOVING_PREPROCESSORS =
            Set.of(
                    Cnn3DToFeedForwardPreProcessor.class,
                    CnnToFeedForwardPreProcessor.class,
                    CnnToRnnPreProcessor.class,
                    FeedForwardToCnn3DPreProcessor.class,
                    FeedForwardToCnnPreProcessor.class,
                    FeedForwardToRnnPreProcessor.class,
                    RnnToCnnPreProcessor.class,
                    RnnToFeedForwardPreProcessor.class);

    /** The same of DL4J's Keras import, which need not be there. */
    private static final Set<String> MOVING_KERAS_PREPROCESSORS =
            Set.of(
                    "KerasFlattenRnnPreprocessor",
                    "PermutePreprocessor",
                    "ReshapePreprocessor",
                    "TensorFlowCnnToFeedForwardPreProcessor");

    /* Everything below goes by the exact class: a subclass, DL4J's or a user's own, may compute
     * something else, so it is what it was not said to be: unknown, and left in float. */

    static boolean isQuantizable(FusedStep step) {
        Layer layer = step.thawed();
        return layer != null && isQuantizable(layer);
    }

    private static boolean isQuantizable(Layer layer) {
        return QUANTIZABLE.contains(layer.getClass())
                && (!(layer instanceof Bidirectional both) || isQuantizableInside(both.getFwd()))
                && (!(layer instanceof LastTimeStep last)
                        || isQuantizableInside(last.getUnderlying()))
                && (!(layer instanceof TimeDistributed each)
                        || isQuantizableInside(each.getUnderlying()));
    }

    private static boolean isQuantizableInside(Layer wrapped) {
        Layer layer = Frozen.inside(wrapped);
        return layer instanceof MaskZeroLayer masked
                ? isQuantizableInside(masked.getUnderlying())
                : isQuantizable(layer);
    }

    /** {@return whether layers of exactly this class can be quantized, or pass codes on} */
    static boolean isKnown(Class<?> type) {
        return QUANTIZABLE.contains(type)
                || PRESERVING_LAYERS.contains(type)
                || POOLS.contains(type)
                || type == ActivationLayer.class;
    }

    /** {@return whether a preprocessor changes the values that the step reads, or may do so} */
    static boolean changesInput(FusedStep step) {
        return step.preprocessor() != null && !moves(step.preprocessor());
    }

    private static boolean moves(InputPreProcessor preprocessor) {
        Class<?> type = preprocessor.getClass();
        if (type == ComposableInputPreProcessor.class) {
            return Arrays.stream(
                            ((ComposableInputPreProcessor) preprocessor).getInputPreProcessors())
                    .allMatch(Traits::moves);
        }
        return MOVING_PREPROCESSORS.contains(type)
                || (type.getName().startsWith("org.deeplearning4j.")
                        && MOVING_KERAS_PREPROCESSORS.contains(type.getSimpleName()));
    }

    /** Whether a layer has a hidden state that can be rounded, and in how many directions. */
    enum Recurrence {
        /** It has none. */
        NONE,
        /** It goes forward in time. */
        ONE_WAY,
        /** It goes both ways. */
        BOTH_WAYS
    }

    static Recurrence recurrence(FusedStep step) {
        Layer layer = step.thawed();
        return layer == null ? Recurrence.NONE : recurrence(layer);
    }

    private static Recurrence recurrence(Layer layer) {
        if (layer instanceof Bidirectional both) {
            return recurrence(both.getFwd()) == Recurrence.NONE
                    ? Recurrence.NONE
                    : Recurrence.BOTH_WAYS;
        }
        if (layer instanceof LastTimeStep last) {
            return recurrence(last.getUnderlying());
        }
        return QuantizedLayers.hasRoundableState(layer) ? Recurrence.ONE_WAY : Recurrence.NONE;
    }

    /** {@return whether the step is the loss, which takes values in float} */
    static boolean isLoss(FusedStep step) {
        Layer layer = step.thawed();
        return layer != null && LOSSES.contains(layer.getClass());
    }

    /** {@return whether the layer does nothing to its input but apply an activation function} */
    static boolean appliesFunction(FusedStep step) {
        Layer layer = step.thawed();
        return layer != null
                && (layer.getClass() == ActivationLayer.class
                        || layer.getClass() == LossLayer.class
                        || layer.getClass() == CnnLossLayer.class
                        || layer.getClass() == RnnLossLayer.class);
    }

    /** {@return whether the layer's result is what the network is trained for} */
    static boolean isOutputLayer(FusedStep step) {
        return step.thawed() instanceof BaseOutputLayer;
    }

    /** {@return whether the layer looks its input up as an index} */
    static boolean readsIndices(FusedStep step) {
        Layer layer = step.thawed();
        return layer instanceof EmbeddingLayer || layer instanceof EmbeddingSequenceLayer;
    }

    /** {@return whether codes pass through the step and mean the same after it} */
    static boolean preservesCodes(FusedStep step) {
        Layer layer = step.thawed();
        if (layer == null) {
            return preservesCodes(step.plainVertex());
        }
        if (changesInput(step)) {
            return false;
        }
        if (POOLS.contains(layer.getClass())) {
            return MaxPoolingLayer.isMaxPool(layer);
        }
        if (layer.getClass() == ActivationLayer.class) {
            return PointwiseActivation.isIdentity(((ActivationLayer) layer).getActivationFn());
        }
        return PRESERVING_LAYERS.contains(layer.getClass());
    }

    private static boolean preservesCodes(@Nullable GraphVertex vertex) {
        return vertex != null
                && PRESERVING_VERTICES.contains(vertex.getClass())
                && (!(vertex instanceof PreprocessorVertex preprocessor)
                        || moves(preprocessor.getPreProcessor()));
    }

    private static PoolingType poolingType(Layer pool) {
        if (pool instanceof Subsampling3DLayer volumes) {
            return volumes.getPoolingType();
        }
        return pool instanceof SubsamplingLayer windows
                ? windows.getPoolingType()
                : ((GlobalPoolingLayer) pool).getPoolingType();
    }

    /** {@return whether the step has no weights and makes values that are not its input's codes} */
    static boolean makesValues(FusedStep step) {
        Layer layer = step.thawed();
        if (layer == null) {
            return elementWise(step) != null || merges(step);
        }
        return !preservesCodes(step)
                && (POOLS.contains(layer.getClass()) || layer.getClass() == ActivationLayer.class);
    }

    /** {@return the kind of element-wise vertex; null if the step is none} */
    static ElementWiseVertex.@Nullable Op elementWise(FusedStep step) {
        GraphVertex vertex = step.plainVertex();
        return vertex != null && vertex.getClass() == ElementWiseVertex.class
                ? ((ElementWiseVertex) vertex).getOp()
                : null;
    }

    /**
     * {@return whether the vertex joins tensors, each element of the result being one of theirs}
     */
    static boolean merges(FusedStep step) {
        GraphVertex vertex = step.plainVertex();
        return vertex != null && vertex.getClass() == MergeVertex.class;
    }

    /** {@return whether the layer makes means of its input's codes} */
    static boolean averages(FusedStep step) {
        Layer layer = step.thawed();
        return layer != null
                && POOLS.contains(layer.getClass())
                && layer.getClass() != Subsampling3DLayer.class
                && poolingType(layer) == PoolingType.AVG;
    }

    /** {@return whether the integer graph has the vertex as a sum or a concatenation of codes} */
    static boolean joinsTensors(FusedStep step) {
        return merges(step) || elementWise(step) == ElementWiseVertex.Op.Add;
    }

    /** {@return whether the step is a vertex that is no layer} */
    static boolean isPlainVertex(FusedStep step) {
        return step.plainVertex() != null;
    }
}
