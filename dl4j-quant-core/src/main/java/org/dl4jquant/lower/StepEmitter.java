// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.Optional;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.layer.integer.FloatLayers;
import org.dl4jquant.layer.integer.IntegerRefusal;
import org.dl4jquant.layer.integer.NodeEmitter;
import org.dl4jquant.layer.integer.Signal;
import org.dl4jquant.layer.integer.StackForm;
import org.dl4jquant.numeric.Shape;

/**
 * The graph as the form of one step may change it.
 *
 * @param graph the graph under construction
 * @param step the name of the step
 * @param name the name of the node that holds its result
 * @param channelsLast whether the step's own tensors have the channels last
 * @param masked the network input whose mask the step's input has; empty without one
 */
record StepEmitter(
        GraphBuilder graph, String step, String name, boolean channelsLast, Optional<String> masked)
        implements NodeEmitter {

    StepEmitter(GraphBuilder graph, String step, String name, Optional<String> masked) {
        this(graph, step, name, false, masked);
    }

    @Override
    public NodeEmitter forChannelsLast() {
        return new StepEmitter(graph, step, name, true, masked);
    }

    @Override
    public String inner(String part) {
        return graph.inner(name + '/' + part);
    }

    @Override
    public NodeEmitter part(String part) {
        return new StepEmitter(graph, step, inner(part), channelsLast, masked);
    }

    @Override
    public String add(IntNode node) {
        return graph.add(node);
    }

    @Override
    public TensorType type(String node) {
        return graph.type(node);
    }

    @Override
    public String values(Signal.Values values, Shape shape) {
        return graph.values(values, shape, channelsLast);
    }

    @Override
    public String valuesToRound(Signal.Values values, Shape shape) {
        String layer = values.layer();
        if (layer == null) {
            return values(values, shape);
        }
        if (!graph.isRoundable(values.node())) {
            throw computedInFloat(layer);
        }
        return computed(values);
    }

    @Override
    public String computed(Signal.Values values) {
        if (!values.functions().isEmpty() || values.unprepared() != null) {
            throw FloatLayers.endingFunction(
                            String.valueOf(values.layer()), String.valueOf(values.functions()))
                    .exception();
        }
        return values.node();
    }

    @Override
    public String codes(Signal signal) {
        if (signal instanceof Signal.Codes codes) {
            return codes.channelsLast() ? graph.channelsLast(codes.node()) : codes.node();
        }
        if (signal instanceof Signal.Stacked) {
            throw StackForm.asOneBatch().exception();
        }
        if (signal instanceof Signal.Unrounded unrounded) {
            throw IntegerRefusal.of(
                    unrounded.layer(),
                    "'" + step + "' reads its result, which no quantizer rounds",
                    "let it read the layer that rounds it, such as '"
                            + unrounded.layer()
                            + "/quantized', or prepare the float network with a spec that"
                            + " quantizes its activations");
        }
        if (signal instanceof Signal.Values values && values.layer() != null) {
            throw computedInFloat(values.layer());
        }
        if (signal instanceof Signal.Values values && graph.isInput(values.node())) {
            throw new IntegerRefusal(
                    "it reads the network's input '" + values.node() + "', which nothing rounds",
                    "prepare the network again, with integers for its activations; what takes codes"
                            + " at the input are dense and convolution layers, pools, moves, sums and"
                            + " concatenations");
        }
        throw new IntegerRefusal(
                "its input is float32, not codes",
                "the prepare report says which layer before it was left in float, and why");
    }

    @Override
    public String channelsFirst(Signal signal) {
        return signal instanceof Signal.Codes codes && codes.channelsLast()
                ? codes.node()
                : graph.channelsFirst(codes(signal));
    }

    @Override
    public Optional<String> mask(int steps) {
        return masked.map(input -> graph.mask(input, steps));
    }

    @Override
    public Optional<TensorType> networkInput(String input) {
        return graph.networkInput(input);
    }

    private IntegerRefusal computedInFloat(String layer) {
        return IntegerRefusal.of(
                layer,
                "its result is float32, and '" + step + "' computes with it",
                "the prepare report says why; quantize the layer that reads it and itself, or end"
                        + " the deployed network there");
    }
}
