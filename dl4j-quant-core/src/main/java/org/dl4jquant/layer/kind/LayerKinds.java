// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.CapsuleStrengthLayer;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.Pooling1D;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
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
import org.deeplearning4j.nn.conf.layers.util.MaskLayer;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.Frozen;
import org.dl4jquant.network.Step;
import org.jspecify.annotations.Nullable;

/**
 * Finds the kind of a DL4J layer, vertex or preprocessor by the exact class of its configuration.
 */
@SuppressWarnings("deprecation") // models with GravesLSTM are still about
public final class LayerKinds {

    /* By the exact class: a subclass, DL4J's or a user's own, may compute something else, so it is
     * what it was not said to be: unknown, and left in float. */

    private static final Registry KINDS = registry();

    /**
     * Preprocessors of DL4J's Keras import, which need not be on the class path, that move
     * elements.
     */
    private static final Set<String> MOVING_KERAS_PREPROCESSORS =
            Set.of("TensorFlowCnnToFeedForwardPreProcessor");

    private LayerKinds() {}

    private static Registry registry() {
        Registry kinds = new Registry();
        addLayersWithWeights(kinds);
        addOtherLayers(kinds);
        addVertices(kinds);
        PreprocessorKinds.addTo(kinds);
        addUnknown(kinds);
        return kinds;
    }

    private static void addLayersWithWeights(Registry kinds) {
        kinds.add(
                Lowering.MOST,
                ConvolutionKind::new,
                List.of(ConvolutionLayer.class, Convolution2D.class));
        kinds.add(
                Lowering.MOST,
                Convolution1DKind::new,
                List.of(Convolution1DLayer.class, Convolution1D.class));
        kinds.add(Lowering.MOST, Convolution3DKind::new, List.of(Convolution3D.class));
        kinds.add(
                Lowering.MOST,
                DepthwiseConvolutionKind::new,
                List.of(DepthwiseConvolution2D.class));
        kinds.add(
                Lowering.MOST,
                SeparableConvolutionKind::new,
                List.of(SeparableConvolution2D.class));
        kinds.add(Lowering.MOST, DeconvolutionKind::new, List.of(Deconvolution2D.class));
        kinds.add(Lowering.MOST, Deconvolution3DKind::new, List.of(Deconvolution3D.class));
        kinds.add(Lowering.MOST, DenseKind::new, List.of(DenseLayer.class));
        kinds.add(
                Lowering.MOST,
                OutputKind::of,
                List.of(OutputLayer.class, CenterLossOutputLayer.class));
        kinds.add(Lowering.MOST, OutputKind::ofSequences, List.of(RnnOutputLayer.class));
        kinds.add(
                Lowering.MOST,
                (EmbeddingLayer layer) -> EmbeddingKind.of(layer),
                List.of(EmbeddingLayer.class));
        kinds.add(
                Lowering.MOST,
                (EmbeddingSequenceLayer layer) -> EmbeddingKind.of(layer),
                List.of(EmbeddingSequenceLayer.class));
        kinds.add(Lowering.MOST, AutoEncoderKind::new, List.of(AutoEncoder.class));
        kinds.add(VariationalAutoencoderKind::new, List.of(VariationalAutoencoder.class));
        kinds.add(RecurrentAttentionKind::new, List.of(RecurrentAttentionLayer.class));
        kinds.add(OneClassKind::new, List.of(OCNNOutputLayer.class));
        kinds.add(LearnedSelfAttentionKind::new, List.of(LearnedSelfAttentionLayer.class));
        kinds.add(
                Lowering.MOST,
                ElementWiseMultiplicationKind::new,
                List.of(ElementWiseMultiplicationLayer.class));
        kinds.add(Lowering.MOST, PReLUKind::new, List.of(PReLULayer.class));
        kinds.add(
                Lowering.MOST,
                LocallyConnectedKind::of,
                List.of(LocallyConnected2D.class, LocallyConnected1D.class));
        kinds.add(
                Lowering.MOST,
                RecurrentKind::new,
                List.of(LSTM.class, GravesLSTM.class, SimpleRnn.class));
        kinds.add(Lowering.MOST, BidirectionalKind::new, List.of(Bidirectional.class));
        kinds.add(Lowering.MOST, LastTimeStepKind::new, List.of(LastTimeStep.class));
        kinds.add(Lowering.MOST, TimeDistributedKind::new, List.of(TimeDistributed.class));
        kinds.add(MaskZeroKind::new, List.of(MaskZeroLayer.class));
        kinds.add(Lowering.MOST, SelfAttentionKind::new, List.of(SelfAttentionLayer.class));
    }

    private static void addOtherLayers(Registry kinds) {
        kinds.add(
                Lowering.MAX_AND_AVERAGE,
                WindowPoolKind::ofImages,
                List.of(SubsamplingLayer.class, Pooling2D.class));
        kinds.add(
                Lowering.MAX_AND_AVERAGE,
                WindowPoolKind::ofSequences,
                List.of(Subsampling1DLayer.class, Pooling1D.class));
        kinds.add(Lowering.MAX_AND_AVERAGE, VolumePoolKind::new, List.of(Subsampling3DLayer.class));
        kinds.add(Lowering.MOST, DropoutKind::new, List.of(DropoutLayer.class));
        kinds.add(
                Lowering.MAX_AVERAGE_AND_SUM,
                GlobalPoolKind::new,
                List.of(GlobalPoolingLayer.class));
        kinds.add(Lowering.MOST, ActivationKind::new, List.of(ActivationLayer.class));
        kinds.add(Lowering.LOSSES, LossKind::ofVectors, List.of(LossLayer.class));
        kinds.add(Lowering.LOSSES, LossKind::ofImages, List.of(CnnLossLayer.class));
        kinds.add(Lowering.LOSSES, LossKind::ofSequences, List.of(RnnLossLayer.class));
        kinds.add(Lowering.LOSSES, LossKind::ofVolumes, List.of(Cnn3DLossLayer.class));
        kinds.add(Lowering.LOSSES, BoxGridKind::of, List.of(Yolo2OutputLayer.class));
        kinds.add(Lowering.MOST, BatchNormalizationKind::new, List.of(BatchNormalization.class));
        kinds.add(Lowering.MOST, LocalResponseKind::new, List.of(LocalResponseNormalization.class));
        kinds.add(
                Lowering.MOVES,
                (ZeroPaddingLayer layer) -> ZeroPaddingKind.of(layer),
                List.of(ZeroPaddingLayer.class));
        kinds.add(
                Lowering.MOVES,
                (ZeroPadding1DLayer layer) -> ZeroPaddingKind.of(layer),
                List.of(ZeroPadding1DLayer.class));
        kinds.add(
                Lowering.MOVES,
                (ZeroPadding3DLayer layer) -> ZeroPaddingKind.of(layer),
                List.of(ZeroPadding3DLayer.class));
        kinds.add(
                Lowering.MOVES,
                (Cropping1D layer) -> CroppingKind.of(layer),
                List.of(Cropping1D.class));
        kinds.add(
                Lowering.MOVES,
                (Cropping2D layer) -> CroppingKind.of(layer),
                List.of(Cropping2D.class));
        kinds.add(
                Lowering.MOVES,
                (Cropping3D layer) -> CroppingKind.of(layer),
                List.of(Cropping3D.class));
        kinds.add(Lowering.MOVES, RepeatVectorKind::new, List.of(RepeatVector.class));
        kinds.add(Lowering.MOVES, SpaceToDepthKind::new, List.of(SpaceToDepthLayer.class));
        kinds.add(Lowering.MOVES, SpaceToBatchKind::new, List.of(SpaceToBatchLayer.class));
        kinds.add(
                Lowering.MOVES,
                (Upsampling1D layer) -> UpsamplingKind.of(layer),
                List.of(Upsampling1D.class));
        kinds.add(
                Lowering.MOVES,
                (Upsampling2D layer) -> UpsamplingKind.of(layer),
                List.of(Upsampling2D.class));
        kinds.add(
                Lowering.MOVES,
                (Upsampling3D layer) -> UpsamplingKind.of(layer),
                List.of(Upsampling3D.class));
    }

    private static void addVertices(Registry kinds) {
        kinds.add(Lowering.MOST, ElementWiseKind::new, List.of(ElementWiseVertex.class));
        kinds.add(Lowering.MOST, MergeKind::new, List.of(MergeVertex.class));
        kinds.add(Lowering.MOST, ScaleVertexKind::new, List.of(ScaleVertex.class));
        kinds.add(Lowering.MOST, ShiftVertexKind::new, List.of(ShiftVertex.class));
        kinds.add(Lowering.MOST, L2NormalizeKind::new, List.of(L2NormalizeVertex.class));
        kinds.add(DistanceKind::new, List.of(L2Vertex.class));
        kinds.add(Lowering.MOST, PreprocessorVertexKind::new, List.of(PreprocessorVertex.class));
        kinds.add(Lowering.MOST, StackKind::new, List.of(StackVertex.class));
        kinds.add(
                Lowering.MOST,
                (UnstackVertex vertex) -> MovingVertexKind.of(vertex),
                List.of(UnstackVertex.class));
        kinds.add(
                Lowering.MOST,
                (PoolHelperVertex vertex) -> MovingVertexKind.of(vertex),
                List.of(PoolHelperVertex.class));
        kinds.add(
                Lowering.MOST,
                (LastTimeStepVertex vertex) -> MovingVertexKind.of(vertex),
                List.of(LastTimeStepVertex.class));
        kinds.add(
                Lowering.MOST,
                (ReverseTimeSeriesVertex vertex) -> MovingVertexKind.of(vertex),
                List.of(ReverseTimeSeriesVertex.class));
        kinds.add(
                Lowering.MOST,
                (DuplicateToTimeSeriesVertex vertex) -> MovingVertexKind.of(vertex),
                List.of(DuplicateToTimeSeriesVertex.class));
        kinds.add(Lowering.MOST, ReshapeVertexKind::new, List.of(ReshapeVertex.class));
        kinds.add(Lowering.MOST, SubsetKind::new, List.of(SubsetVertex.class));
        kinds.add(Lowering.MOST, AttentionVertexKind::new, List.of(AttentionVertex.class));
    }

    private static void addUnknown(Registry kinds) {
        kinds.add(
                UnknownKind::new,
                List.of(
                        CapsuleLayer.class,
                        CapsuleStrengthLayer.class,
                        GravesBidirectionalLSTM.class,
                        PrimaryCapsules.class,
                        MaskLayer.class));
    }

    /**
     * Returns the kind of a configuration. Wrappers that freeze are looked through.
     *
     * @param configuration the configuration of a layer, of a vertex that is no layer, or of a
     *     preprocessor
     * @return its kind; one that stays in float if the class is not known
     */
    public static LayerKind of(Object configuration) {
        Object inside = thawed(Require.given(configuration, "configuration"));
        if (inside instanceof PreparedBoxes prepared) {
            return new BoxGridKind(prepared.boxes(), true);
        }
        Class<?> type = inside.getClass();
        LayerKind kind = KINDS.kind(inside, type);
        if (kind != null) {
            return kind;
        }
        boolean keras =
                type.getName().startsWith("org.deeplearning4j.")
                        && MOVING_KERAS_PREPROCESSORS.contains(type.getSimpleName());
        return keras ? new MovingKind(inside) : new UnknownKind(inside);
    }

    /**
     * Returns the kind of a step.
     *
     * @param step a layer, vertex or preprocessor of a network
     * @return its kind, as {@link #of(Object)}
     */
    public static LayerKind of(Step step) {
        return of(Require.given(step, "step").configuration());
    }

    /**
     * Returns the nearest class above a configuration's own that can be quantized or lets codes
     * pass, although the configuration's own class is unknown.
     *
     * @param configuration the configuration of a layer
     * @return the class; null if there is none
     */
    public static @Nullable Class<?> knownParent(Object configuration) {
        Object inside = thawed(Require.given(configuration, "configuration"));
        Class<?> parent = inside.getClass().getSuperclass();
        while (parent != null) {
            LayerKind kind = KINDS.kind(inside, parent);
            if (kind != null && kind.flow() != CodeFlow.UNKNOWN && kind.flow() != CodeFlow.LOSS) {
                return parent;
            }
            parent = parent.getSuperclass();
        }
        return null;
    }

    private static Object thawed(Object configuration) {
        if (configuration instanceof Layer layer) {
            return Frozen.inside(layer);
        }
        return configuration instanceof GraphVertex vertex ? Frozen.inside(vertex) : configuration;
    }

    /**
     * {@return the words for all that lower}
     *
     * @param base DL4J's class or interface of layers, vertices or preprocessors
     */
    static List<String> lowering(Class<?> base) {
        return KINDS.lowering(base);
    }

    /**
     * {@return which configurations of a class are said to lower}
     *
     * @param type the class
     */
    static Lowering lowers(Class<?> type) {
        return KINDS.lowers(type);
    }

    /** {@return the first class of each kind; the others are its aliases} */
    static Set<Class<?>> firstTypes() {
        return KINDS.firstTypes();
    }

    /** {@return the classes that have a kind} */
    static Set<Class<?>> types() {
        return KINDS.types();
    }
}
