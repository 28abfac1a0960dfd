// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MoveByMask;
import org.dl4jquant.numeric.Shape;

/** Checks what is given to an engine; every engine calls it first, so that all refuse alike. */
public final class GraphInputs {

    /** The elements of the largest arrays that all virtual machines make. */
    private static final int MAX_ELEMENTS = Integer.MAX_VALUE - 8;

    private GraphInputs() {}

    /**
     * {@return the graph for as many steps as the inputs have, if it takes any number; else the
     * graph}
     *
     * @param graph the graph to run
     * @param inputs one batch for each input node, by name
     */
    public static IntGraph fixed(IntGraph graph, Map<String, Batch.Floats> inputs) {
        Require.given(graph, "graph");
        OptionalInt steps = steps(graph, Require.given(inputs, "inputs"));
        return steps.isPresent() ? graph.withSteps(steps.getAsInt()) : graph;
    }

    /* What is missing or has another rank is named by the checks. */
    static OptionalInt steps(IntGraph graph, Map<String, Batch.Floats> inputs) {
        for (Input input : graph.inputs()) {
            Batch.Floats batch = inputs.get(input.name());
            if (input.timeAxis().isPresent()
                    && batch != null
                    && batch.shape().rank() == input.shape().rank()) {
                return OptionalInt.of(batch.shape().size(input.timeAxis().getAsInt()));
            }
        }
        return OptionalInt.empty();
    }

    /**
     * Checks that there is one batch without NaN for each input of the graph, all of one size.
     * Infinities are numbers: they become the smallest and the largest code, except where scales
     * are found in the input at run time.
     *
     * @param graph the graph to run, {@link #fixed}
     * @param inputs one batch for each input node, by name
     * @return how many examples each batch has
     * @throws IllegalArgumentException if an input is missing, unknown, of another shape or size,
     *     or holds NaN, if a mask is neither 0 nor 1, and if a result would have 2^31 elements or
     *     more; the message names it and the first wrong place
     */
    public static int requireValid(IntGraph graph, Map<String, Batch.Floats> inputs) {
        Require.given(graph, "graph");
        Require.given(inputs, "inputs");
        Map<String, Shape> shapes = new LinkedHashMap<>();
        graph.inputs().forEach(node -> shapes.put(node.name(), node.shape()));
        int size = requireValid(shapes, graph.indexLimits(), inputs);
        graph.masks().forEach(mask -> requireMask(mask, Objects.requireNonNull(inputs.get(mask))));
        for (String name : graph.scaledInputs()) {
            requireFinite(name, Objects.requireNonNull(inputs.get(name)));
        }
        for (IntNode node : graph.nodes()) {
            if (node instanceof MoveByMask move && move.choice() == MoveByMask.Choice.LEAST) {
                requireSteps(move, Objects.requireNonNull(inputs.get(move.by())));
            }
            int elements = graph.type(node.name()).shape().elements();
            Require.argument(
                    (long) size * elements <= MAX_ELEMENTS,
                    "node '%s' has %d elements for each of %d examples, together more than %d; run"
                            + " fewer examples at once, at most %d",
                    node.name(),
                    elements,
                    size,
                    MAX_ELEMENTS,
                    MAX_ELEMENTS / elements);
        }
        return size;
    }

    /**
     * Checks that there is one batch without NaN for each input, all of one size.
     *
     * @param shapes the shape of one example of each input, by name
     * @param limits for inputs that are indices, how many rows they choose from ({@link
     *     IntGraph#indexLimits})
     * @param inputs one batch for each of these names
     * @return how many examples each batch has
     * @throws IllegalArgumentException if an input is missing, unknown, of another shape or size,
     *     or holds NaN, or an index without a row; the message names it and the first wrong place
     */
    public static int requireValid(
            Map<String, Shape> shapes,
            Map<String, Integer> limits,
            Map<String, Batch.Floats> inputs) {
        Require.given(shapes, "shapes");
        Require.given(limits, "limits");
        Require.given(inputs, "inputs");
        List<String> names = List.copyOf(shapes.keySet());
        Require.argument(
                inputs.keySet().stream().allMatch(names::contains),
                "the inputs given are %s; the graph has %s",
                inputs.keySet(),
                names);
        int size = 0;
        for (Map.Entry<String, Shape> input : shapes.entrySet()) {
            String name = input.getKey();
            Batch.Floats batch = inputs.get(name);
            Require.argument(
                    batch != null,
                    "input '%s' is missing; the graph has %s and %s are given",
                    name,
                    names,
                    inputs.keySet());
            requireFits(name, input.getValue(), Objects.requireNonNull(batch));
            Integer rows = limits.get(name);
            if (rows != null) {
                requireIndices(name, rows, batch);
            }
            Require.argument(
                    size == 0 || size == batch.size(),
                    "input '%s' has %d examples, '%s' has %d; all inputs must have as many",
                    name,
                    batch.size(),
                    names.get(0),
                    size);
            size = batch.size();
        }
        return size;
    }

    private static void requireFits(String name, Shape shape, Batch.Floats batch) {
        Require.argument(
                batch.shape().equals(shape),
                "input '%s' has examples of shape %s; the graph takes %s",
                name,
                batch.shape(),
                shape);
        float[] values = batch.values();
        for (int i = 0; i < values.length; i++) {
            if (Float.isNaN(values[i])) {
                Require.argument(
                        false,
                        "input '%s' is NaN in example %d at index %d of %s, and no code stands for"
                                + " NaN; leave the example out, or replace what is missing in it",
                        name,
                        i / shape.elements(),
                        i % shape.elements(),
                        shape);
            }
        }
    }

    private static void requireMask(String name, Batch.Floats batch) {
        float[] values = batch.values();
        for (int i = 0; i < values.length; i++) {
            Require.argument(
                    values[i] == 0 || values[i] == 1,
                    "input '%s' is %s in example %d at step %d; it is a mask, 1 where a step counts"
                            + " and 0 where not",
                    name,
                    values[i],
                    i / batch.shape().elements(),
                    i % batch.shape().elements());
        }
    }

    /* The network returns negative infinity, which is no code. */
    private static void requireSteps(MoveByMask node, Batch.Floats mask) {
        int steps = mask.shape().elements();
        float[] values = mask.values();
        for (int example = 0; example < mask.size(); example++) {
            boolean any = false;
            for (int t = 0; t < steps; t++) {
                any |= values[example * steps + t] != 0;
            }
            Require.argument(
                    any,
                    "input '%s' hides all %d steps of example %d, and node '%s' belongs to the"
                            + " maximum of its steps; leave the example out",
                    node.by(),
                    steps,
                    example,
                    node.name());
        }
    }

    private static void requireFinite(String name, Batch.Floats batch) {
        float[] values = batch.values();
        int elements = batch.shape().elements();
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                Require.argument(
                        false,
                        "input '%s' is %s in example %d at index %d of %s, and a scale is found in"
                                + " these values at run time; leave the example out, or bound its"
                                + " values",
                        name,
                        values[i],
                        i / elements,
                        i % elements,
                        batch.shape());
            }
        }
    }

    private static void requireIndices(String name, int rows, Batch.Floats batch) {
        float[] values = batch.values();
        for (int i = 0; i < values.length; i++) {
            float value = values[i];
            if (!(value >= 0 && value < rows && value == (int) value)) {
                Require.argument(
                        false,
                        "input '%s' is %s in example %d at index %d of %s; it is an index of %d"
                                + " rows, a whole number from 0 to %d",
                        name,
                        value,
                        i / batch.shape().elements(),
                        i % batch.shape().elements(),
                        batch.shape(),
                        rows,
                        rows - 1);
            }
        }
    }
}
