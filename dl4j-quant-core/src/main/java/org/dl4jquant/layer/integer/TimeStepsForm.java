// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;

/**
 * The form of preprocessors between sequences and their time steps, which DL4J stacks as examples
 * of a larger batch, step after step. The graph keeps the steps apart ({@link Signal.Stacked}).
 *
 * @param format the order of the sequences
 * @param step one time step of sequences that are split; null if steps are joined to sequences
 */
public record TimeStepsForm(RNNFormat format, @Nullable StepShape step) implements IntegerForm {

    /** Checks that there is a format. */
    public TimeStepsForm {
        Objects.requireNonNull(format, "format");
    }

    /** The shape of a time step. */
    @FunctionalInterface
    public interface StepShape {
        /**
         * {@return the shape}
         *
         * @param features how many features the sequence has
         */
        Shape of(int features);
    }

    /**
     * Returns the support of splitting sequences.
     *
     * @param format the order of the sequences
     * @param step the shape of one time step
     * @return a form
     */
    public static IntegerSupport split(RNNFormat format, StepShape step) {
        Require.given(step, "step");
        return IntegerSupport.of(tensors -> new TimeStepsForm(format, step));
    }

    /**
     * Returns the support of joining time steps, each of which is flattened.
     *
     * @param format the order of the sequences
     * @return a form
     */
    public static IntegerSupport join(RNNFormat format) {
        return IntegerSupport.of(tensors -> new TimeStepsForm(format, null));
    }

    @Override
    public boolean mixesExamples() {
        return true;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal input = inputs.get(0);
        StepShape shape = step;
        return List.of(
                shape == null
                        ? joined(graph, Signal.Stacked.partsOf(input))
                        : split(graph, input, shape));
    }

    private Signal split(NodeEmitter graph, Signal input, StepShape shape) {
        String codes = graph.codes(input);
        Shape sequence = graph.type(codes).shape();
        if (sequence.rank() == 1) {
            return input; // as DL4J, which puts the preprocessor after global pools, too
        }
        if (sequence.rank() != 2) {
            throw new IntegerRefusal(
                    "it reads examples of shape " + sequence + ", which are no sequences",
                    "put it after a layer that makes sequences");
        }
        int time = format == RNNFormat.NCW ? 1 : 0;
        int steps = sequence.size(time);
        Shape each = shape.of(sequence.size(1 - time));
        List<Signal> parts = new ArrayList<>();
        for (int at = 0; at < steps; at++) {
            IndexMap map =
                    IndexMap.select(sequence, time, AxisIndices.range(at, at + 1)).reshaped(each);
            NodeEmitter part = steps == 1 ? graph : graph.part(String.valueOf(at));
            parts.add(new Signal.Codes(part.add(Move.of(part.name(), codes, map))));
        }
        return Signal.Stacked.of(parts);
    }

    private Signal joined(NodeEmitter graph, List<Signal> parts) {
        List<String> steps = parts.stream().map(graph::codes).toList();
        QuantParams params = graph.type(steps.get(0)).codes();
        int features = graph.type(steps.get(0)).shape().elements();
        List<String> flat =
                IntStream.range(0, steps.size())
                        .mapToObj(at -> flat(graph, steps.get(at), at))
                        .toList();
        String all =
                flat.size() == 1
                        ? flat.get(0)
                        : graph.add(new Concat(graph.inner("steps"), flat, params));
        IndexMap sequence = IndexMap.identity(Shape.of(flat.size(), features));
        if (format == RNNFormat.NCW) {
            sequence = IndexMap.permute(Shape.of(flat.size(), features), List.of(1, 0));
        }
        return new Signal.Codes(graph.add(Move.of(graph.name(), all, sequence)));
    }

    private static String flat(NodeEmitter graph, String step, int at) {
        Shape shape = graph.type(step).shape();
        return shape.rank() == 1
                ? step
                : graph.add(
                        new Reshape(
                                graph.inner(String.valueOf(at)), step, Shape.of(shape.elements())));
    }
}
