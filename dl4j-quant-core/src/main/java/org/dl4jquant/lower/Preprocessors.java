// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.List;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;

/** DL4J's preprocessors between layers as reshapes. */
final class Preprocessors {

    private final GraphBuilder graph;
    private final String reader;

    /**
     * Lowers preprocessors of one layer or vertex.
     *
     * @param graph collects the nodes
     * @param reader the layer or vertex
     */
    Preprocessors(GraphBuilder graph, String reader) {
        this.graph = graph;
        this.reader = reader;
    }

    /**
     * {@return the result of a preprocessor}
     *
     * @param name the name of the node, if one is needed
     * @param preProcessor the preprocessor
     * @param input its input
     */
    Signal lower(String name, InputPreProcessor preProcessor, Signal input) {
        // By the exact class: a subclass may change values, or their order.
        Class<?> type = preProcessor.getClass();
        if (type == CnnToFeedForwardPreProcessor.class
                && preProcessor instanceof CnnToFeedForwardPreProcessor flatten) {
            Windows.requireChannelsFirst(reader, flatten.getFormat());
            Shape image =
                    image(
                            flatten.getNumChannels(),
                            flatten.getInputHeight(),
                            flatten.getInputWidth());
            return reshape(name, input, image, Shape.of(image.elements()));
        }
        if (type == FeedForwardToCnnPreProcessor.class
                && preProcessor instanceof FeedForwardToCnnPreProcessor toImage) {
            Shape image =
                    image(
                            toImage.getNumChannels(),
                            toImage.getInputHeight(),
                            toImage.getInputWidth());
            return reshape(name, input, Shape.of(image.elements()), image);
        }
        if (type == ComposableInputPreProcessor.class
                && preProcessor instanceof ComposableInputPreProcessor composed) {
            Signal signal = input;
            List<InputPreProcessor> parts = List.of(composed.getInputPreProcessors());
            for (int i = 0; i < parts.size(); i++) {
                signal = lower(graph.inner(name + "/" + i), parts.get(i), signal);
            }
            return signal;
        }
        throw new LoweringException(
                reader,
                "there is no integer form of preprocessor "
                        + preProcessor.getClass().getSimpleName(),
                "those that lower are CnnToFeedForward, FeedForwardToCnn, and compositions of"
                        + " them");
    }

    private Signal reshape(String name, Signal input, Shape from, Shape to) {
        if (input instanceof Signal.Values values) {
            if (values.functions().stream().anyMatch(OutputFunction.Softmax.class::isInstance)) {
                throw new LoweringException(
                        reader,
                        "it reshapes what the softmax of '" + values.layer() + "' makes",
                        "put the softmax after it");
            }
            return values.in(graph.add(new Reshape(name, graph.values(values, from), to)));
        }
        String codes = graph.codes(reader, input);
        if (graph.type(codes).shape().equals(to)) {
            return input;
        }
        return new Signal.Codes(graph.add(new Reshape(name, codes, to)));
    }

    private static Shape image(long channels, long height, long width) {
        return Shape.of((int) channels, (int) height, (int) width);
    }
}
