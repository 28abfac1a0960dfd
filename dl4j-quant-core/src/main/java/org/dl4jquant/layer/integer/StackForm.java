// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * The form of a vertex that puts batches below one another, so that layers share their weights. The
 * graph keeps them apart: what follows is emitted once for each ({@link Signal.Stacked}).
 *
 * <p>The batches have scales of their own, and a layer after the vertex rounds them all to codes of
 * one scale, as after a concatenation.
 */
public final class StackForm implements IntegerForm {

    private StackForm() {}

    /**
     * Returns the support of the vertex.
     *
     * @return a form
     */
    public static IntegerSupport support() {
        return IntegerSupport.of(tensors -> new StackForm());
    }

    /** {@return the refusal of a stack where one batch is read} */
    public static IntegerSupport.Refusal asOneBatch() {
        return IntegerSupport.refused(
                "its examples are those of several batches, or time steps, below one another",
                "take the batches apart with an UnstackVertex, or join the time steps to"
                        + " sequences");
    }

    @Override
    public boolean mixesExamples() {
        return true;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        List<Signal> parts = new ArrayList<>();
        Shape shape = null;
        for (Signal input : inputs) {
            for (Signal part : Signal.Stacked.partsOf(input)) {
                boolean last = part.hasChannelsLast();
                String codes = last ? graph.channelsFirst(part) : graph.codes(part);
                Shape found = graph.type(codes).shape();
                if (shape != null && !shape.equals(found)) {
                    throw new IntegerRefusal(
                            "it stacks examples of shapes " + shape + " and " + found,
                            "stack tensors of one shape");
                }
                shape = found;
                QuantParams params = graph.type(codes).codes();
                parts.add(
                        new Signal.Unrounded(
                                graph.step(),
                                (name, output) ->
                                        new Table(
                                                name,
                                                codes,
                                                CodeTable.from(
                                                        DoubleUnaryOperator.identity(),
                                                        params,
                                                        output.params()),
                                                output.params()),
                                last));
            }
        }
        return List.of(Signal.Stacked.of(parts));
    }
}
