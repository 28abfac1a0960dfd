// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.dl4jquant.check.Require;

/**
 * Finds the integer form of a configuration by its exact class: a subclass may compute anything, or
 * change values or their order.
 */
public final class IntegerForms {

    private static final Map<Class<?>, Function<Object, IntegerSupport>> BY_CLASS =
            Map.ofEntries(
                    form(ActivationLayer.class, ActivationForm::of),
                    form(CnnLossLayer.class, LastFunctionForm::of),
                    form(CnnToFeedForwardPreProcessor.class, ReshapeForm::of),
                    form(ComposableInputPreProcessor.class, IntegerForms::ofComposed),
                    form(Convolution2D.class, ConvolutionForm::of),
                    form(ConvolutionLayer.class, ConvolutionForm::of),
                    form(DenseLayer.class, DenseForm::of),
                    form(DepthwiseConvolution2D.class, ConvolutionForm::of),
                    form(DropoutLayer.class, UnchangedForm::of),
                    form(ElementWiseVertex.class, IntegerForms::ofElementWise),
                    form(FeedForwardToCnnPreProcessor.class, ReshapeForm::of),
                    form(GlobalPoolingLayer.class, PoolForms::of),
                    form(LossLayer.class, LastFunctionForm::of),
                    form(MergeVertex.class, ConcatenationForm::of),
                    form(OutputLayer.class, DenseForm::of),
                    form(Pooling2D.class, PoolForms::of),
                    form(RnnLossLayer.class, LastFunctionForm::of),
                    form(SubsamplingLayer.class, PoolForms::of));

    private IntegerForms() {}

    private static <T> Map.Entry<Class<?>, Function<Object, IntegerSupport>> form(
            Class<T> type, Function<? super T, IntegerSupport> support) {
        return Map.entry(type, configuration -> support.apply(type.cast(configuration)));
    }

    /**
     * Returns the support of a layer, a vertex that is no layer, or a preprocessor.
     *
     * @param configuration its configuration, without quantizers and without wrappers that freeze
     * @return a form, or a refusal
     */
    public static IntegerSupport of(Object configuration) {
        Function<Object, IntegerSupport> found =
                BY_CLASS.get(Require.given(configuration, "configuration").getClass());
        return found == null ? refusal(configuration) : found.apply(configuration);
    }

    private static IntegerSupport ofElementWise(ElementWiseVertex vertex) {
        return vertex.getOp() == ElementWiseVertex.Op.Add ? SumForm.support() : refusal(vertex);
    }

    private static IntegerSupport ofComposed(ComposableInputPreProcessor composed) {
        return SequenceForm.of(
                Arrays.stream(composed.getInputPreProcessors()).map(IntegerForms::of).toList());
    }

    private static IntegerSupport refusal(Object configuration) {
        String type = configuration.getClass().getSimpleName();
        if (configuration instanceof InputPreProcessor) {
            return IntegerSupport.refused(
                    "there is no integer form of preprocessor " + type,
                    "those that lower are CnnToFeedForward, FeedForwardToCnn, and compositions of"
                            + " them");
        }
        if (configuration instanceof GraphVertex) {
            return IntegerSupport.refused(
                    "there is no integer form of type "
                            + type
                            + (configuration instanceof ElementWiseVertex other
                                    ? " with " + other.getOp()
                                    : ""),
                    "vertices that lower are LayerVertex, MergeVertex, ElementWiseVertex with Add,"
                            + " and PreprocessorVertex");
        }
        return IntegerSupport.refused(
                "there is no integer form of type " + type,
                configuration instanceof Layer layer
                        ? remedy(layer) + SupportedLayers.LIST
                        : SupportedLayers.LIST);
    }

    private static String remedy(Layer layer) {
        if (layer instanceof Convolution1DLayer) {
            return "let sequences pass as images of height 1, with a ConvolutionLayer whose kernel"
                    + " is 1 x k; ";
        }
        if (layer instanceof SeparableConvolution2D) {
            return "put a DepthwiseConvolution2D and a ConvolutionLayer with kernel 1 x 1 in its"
                    + " place, which compute the same; ";
        }
        if (layer instanceof Deconvolution2D) {
            return "end the deployed network before it, or design the network without it; ";
        }
        return "";
    }
}
