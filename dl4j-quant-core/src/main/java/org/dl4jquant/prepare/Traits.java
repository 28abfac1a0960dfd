// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Set;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
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
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SpaceToBatchLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
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
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.dl4jquant.layer.MaxPoolingLayer;
import org.dl4jquant.layer.PointwiseActivation;
import org.dl4jquant.layer.QuantizedLayers;
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

    static boolean isQuantizable(Step step) {
        Layer layer = step.thawed();
        return layer != null && QUANTIZABLE.contains(layer.getClass());
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

    static Recurrence recurrence(Step step) {
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
    static boolean isLoss(Step step) {
        Layer layer = step.thawed();
        return layer != null && LOSSES.contains(layer.getClass());
    }

    /** {@return whether the layer's result is what the network is trained for} */
    static boolean isOutputLayer(Step step) {
        return step.thawed() instanceof BaseOutputLayer;
    }

    /** {@return whether the layer looks its input up as an index} */
    static boolean readsIndices(Step step) {
        Layer layer = step.thawed();
        return layer instanceof EmbeddingLayer || layer instanceof EmbeddingSequenceLayer;
    }

    /** {@return whether codes pass through the step and mean the same behind it} */
    static boolean preservesCodes(Step step) {
        Layer layer = step.thawed();
        if (layer == null) {
            return step.vertex() != null && PRESERVING_VERTICES.contains(step.vertex().getClass());
        }
        if (MaxPoolingLayer.isMaxPool(layer)) {
            return true;
        }
        if (layer instanceof ActivationLayer only) {
            return PointwiseActivation.isIdentity(only.getActivationFn());
        }
        return PRESERVING_LAYERS.contains(layer.getClass());
    }

    /** {@return whether the step has no weights and makes values that are not its input's codes} */
    static boolean makesValues(Step step) {
        Layer layer = step.thawed();
        if (layer == null) {
            return step.vertex() instanceof ElementWiseVertex
                    || step.vertex() instanceof MergeVertex;
        }
        return !preservesCodes(step)
                && (layer instanceof SubsamplingLayer
                        || layer instanceof Subsampling3DLayer
                        || layer instanceof GlobalPoolingLayer
                        || layer instanceof ActivationLayer);
    }

    /** {@return the kind of element-wise vertex; null if the step is none} */
    static ElementWiseVertex.@Nullable Op elementWise(Step step) {
        return step.vertex() instanceof ElementWiseVertex vertex ? vertex.getOp() : null;
    }

    /**
     * {@return whether the vertex joins tensors, each element of the result being one of theirs}
     */
    static boolean merges(Step step) {
        return step.vertex() instanceof MergeVertex;
    }

    /** {@return whether the layer makes means of its input's codes} */
    static boolean averages(Step step) {
        Layer layer = step.thawed();
        return (layer instanceof SubsamplingLayer pool && pool.getPoolingType() == PoolingType.AVG)
                || (layer instanceof GlobalPoolingLayer global
                        && global.getPoolingType() == PoolingType.AVG);
    }

    /** {@return whether the integer graph has the vertex as a sum or a concatenation of codes} */
    static boolean joinsTensors(Step step) {
        return merges(step) || elementWise(step) == ElementWiseVertex.Op.Add;
    }

    /** {@return whether the step is a vertex that is no layer} */
    static boolean isPlainVertex(Step step) {
        return step.vertex() != null && !(step.vertex() instanceof LayerVertex);
    }
}
