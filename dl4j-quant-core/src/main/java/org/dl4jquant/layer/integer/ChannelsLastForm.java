// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of a step whose images or sequences have the channels last, as in TensorFlow's format
 * NHWC: the nodes of the same step with the channels first.
 *
 * <p>Nodes know one order, so that a network has the same nodes in both formats. The codes of a
 * network input are transposed once; what follows passes them on in the nodes' order ({@link
 * Signal.Codes#channelsLast}), until a step reads them in the network's own.
 *
 * @param inside the form with the channels first, whose inference computes in the network's order
 */
public record ChannelsLastForm(IntegerForm inside) implements IntegerForm {

    /** Checks that there is a form. */
    public ChannelsLastForm {
        Objects.requireNonNull(inside, "inside");
    }

    /**
     * Returns the support of a step of images.
     *
     * @param format the order of the network's own images
     * @param support the step's support, with nodes of the channels first
     * @return the support in that order
     */
    public static IntegerSupport of(CNN2DFormat format, IntegerSupport support) {
        return of(Require.given(format, "format") == CNN2DFormat.NHWC, support);
    }

    /**
     * Returns the support of a step of sequences.
     *
     * @param format the order of the network's own sequences; null, as where a configuration was
     *     built without input types, if DL4J decides: the channels come first
     * @param support the step's support, with nodes of the channels first
     * @return the support in that order
     */
    public static IntegerSupport of(@Nullable RNNFormat format, IntegerSupport support) {
        return of(format == RNNFormat.NWC, support);
    }

    /**
     * Returns the support of a step in one of two orders.
     *
     * @param channelsLast whether the channels of the network's own tensors come last
     * @param support the step's support, with nodes of the channels first
     * @return the support in that order
     */
    public static IntegerSupport of(boolean channelsLast, IntegerSupport support) {
        Require.given(support, "support");
        return channelsLast && support instanceof IntegerSupport.Supported first
                ? new IntegerSupport.Supported(
                        tensors -> new ChannelsLastForm(first.maker().apply(tensors)),
                        first.takesWideCodes())
                : support;
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        return inside.infer(call, inputs);
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        return inside.obstacle();
    }

    @Override
    public boolean mixesExamples() {
        return inside.mixesExamples();
    }

    @Override
    public boolean hasCodedBias() {
        return inside.hasCodedBias();
    }

    @Override
    public MaskUse maskUse() {
        return inside.maskUse();
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        return marked(
                graph, inputs, inside.emit(new ChannelsFirst(graph.forChannelsLast()), inputs));
    }

    @Override
    public List<Signal> emitMasked(NodeEmitter graph, List<Signal> inputs) {
        return marked(
                graph,
                inputs,
                inside.emitMasked(new ChannelsFirst(graph.forChannelsLast()), inputs));
    }

    private static List<Signal> marked(
            NodeEmitter graph, List<Signal> inputs, List<Signal> results) {
        return results.stream()
                .map(result -> inputs.contains(result) ? result : marked(graph, result))
                .toList();
    }

    private static Signal marked(NodeEmitter graph, Signal result) {
        if (result instanceof Signal.Stacked stack) {
            return new Signal.Stacked(
                    stack.parts().stream().map(part -> marked(graph, part)).toList());
        }
        if (result instanceof Signal.Unrounded unrounded) {
            return new Signal.Unrounded(unrounded.layer(), unrounded.operation(), true);
        }
        return result instanceof Signal.Codes codes && graph.type(codes.node()).shape().rank() > 1
                ? new Signal.Codes(codes.node(), true)
                : result;
    }

    /**
     * The graph as the form inside may change it.
     *
     * @param graph the graph as the step may change it
     */
    private record ChannelsFirst(NodeEmitter graph) implements NodeEmitter {

        @Override
        public String step() {
            return graph.step();
        }

        @Override
        public String name() {
            return graph.name();
        }

        @Override
        public String inner(String part) {
            return graph.inner(part);
        }

        @Override
        public NodeEmitter part(String part) {
            return new ChannelsFirst(graph.part(part));
        }

        @Override
        public NodeEmitter forChannelsLast() {
            return this;
        }

        @Override
        public String add(IntNode node) {
            return graph.add(node);
        }

        @Override
        public boolean hasChannelsLast() {
            return true;
        }

        @Override
        public TensorType type(String node) {
            return graph.type(node);
        }

        @Override
        public String codes(Signal signal) {
            return graph.channelsFirst(signal);
        }

        @Override
        public String channelsFirst(Signal signal) {
            return graph.channelsFirst(signal);
        }

        @Override
        public Optional<String> mask(int steps) {
            return graph.mask(steps);
        }

        @Override
        public Optional<TensorType> networkInput(String input) {
            return graph.networkInput(input);
        }

        @Override
        public String values(Signal.Values values, Shape shape) {
            return graph.values(values, shape);
        }

        @Override
        public String computed(Signal.Values values) {
            return graph.computed(values);
        }

        @Override
        public String valuesToRound(Signal.Values values, Shape shape) {
            return graph.valuesToRound(values, shape);
        }
    }
}
