// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.preprocessor.Cnn3DToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;

/**
 * The form of preprocessors that give the elements of an example another shape, in the same order.
 *
 * @param from one example before
 * @param to one example after
 */
public record ReshapeForm(Shape from, Shape to) implements IntegerForm {

    /**
     * Returns the support of flattening images.
     *
     * @param preprocessor its configuration
     * @return a form
     */
    public static IntegerSupport of(CnnToFeedForwardPreProcessor preprocessor) {
        Require.given(preprocessor, "preprocessor");
        return IntegerSupport.of(
                tensors -> {
                    Shape image =
                            preprocessor.getFormat() == CNN2DFormat.NHWC
                                    ? image(
                                            preprocessor.getInputHeight(),
                                            preprocessor.getInputWidth(),
                                            preprocessor.getNumChannels())
                                    : image(
                                            preprocessor.getNumChannels(),
                                            preprocessor.getInputHeight(),
                                            preprocessor.getInputWidth());
                    return new ReshapeForm(image, Shape.of(image.elements()));
                });
    }

    /**
     * Returns the support of making images of flat features.
     *
     * @param preprocessor its configuration
     * @return a form
     */
    public static IntegerSupport of(FeedForwardToCnnPreProcessor preprocessor) {
        Require.given(preprocessor, "preprocessor");
        return IntegerSupport.of(
                tensors -> {
                    Shape image =
                            image(
                                    preprocessor.getNumChannels(),
                                    preprocessor.getInputHeight(),
                                    preprocessor.getInputWidth());
                    return new ReshapeForm(Shape.of(image.elements()), image);
                });
    }

    /**
     * Returns the support of flattening volumes.
     *
     * @param preprocessor its configuration
     * @return a form
     */
    public static IntegerSupport of(Cnn3DToFeedForwardPreProcessor preprocessor) {
        Require.given(preprocessor, "preprocessor");
        return IntegerSupport.of(
                tensors -> {
                    Shape volume =
                            volume(
                                    preprocessor.isNCDHW(),
                                    preprocessor.getNumChannels(),
                                    preprocessor.getInputDepth(),
                                    preprocessor.getInputHeight(),
                                    preprocessor.getInputWidth());
                    return new ReshapeForm(volume, Shape.of(volume.elements()));
                });
    }

    /**
     * Returns the support of making volumes of flat features.
     *
     * @param preprocessor its configuration
     * @return a form
     */
    public static IntegerSupport of(FeedForwardToCnn3DPreProcessor preprocessor) {
        Require.given(preprocessor, "preprocessor");
        return IntegerSupport.of(
                tensors -> {
                    Shape volume =
                            volume(
                                    preprocessor.isNCDHW(),
                                    preprocessor.getNumChannels(),
                                    preprocessor.getInputDepth(),
                                    preprocessor.getInputHeight(),
                                    preprocessor.getInputWidth());
                    return new ReshapeForm(Shape.of(volume.elements()), volume);
                });
    }

    private static Shape volume(
            boolean channelsFirst, long channels, long depth, long height, long width) {
        return channelsFirst
                ? Shape.of((int) channels, (int) depth, (int) height, (int) width)
                : Shape.of((int) depth, (int) height, (int) width, (int) channels);
    }

    private static Shape image(long first, long second, long third) {
        return Shape.of((int) first, (int) second, (int) third);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal input = inputs.get(0);
        if (input instanceof Signal.Values values) {
            if (values.functions().stream().anyMatch(OutputFunction.Softmax.class::isInstance)) {
                throw new IntegerRefusal(
                        "it reshapes the result of the softmax of '" + values.layer() + "'",
                        "put the softmax after it");
            }
            String node = graph.add(new Reshape(graph.name(), graph.values(values, from), to));
            return List.of(values.in(node));
        }
        String codes = graph.codes(input);
        return graph.type(codes).shape().equals(to)
                ? inputs
                : List.of(new Signal.Codes(graph.add(new Reshape(graph.name(), codes, to))));
    }
}
