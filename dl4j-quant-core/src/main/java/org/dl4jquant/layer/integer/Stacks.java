// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.check.Require;

/** Emits steps that compute the same for each batch of a stack, with the same weights. */
public final class Stacks {

    private Stacks() {}

    /**
     * Emits a step, for each batch if it reads stacks.
     *
     * @param form the step's form
     * @param graph takes the nodes; those of the batch numbered {@code i} end with its number
     * @param inputs the step's inputs
     * @return the first result of the step; a stack, if it reads stacks
     * @throws IntegerRefusal if it reads stacks of different sizes, or refuses its inputs
     */
    public static Signal emit(IntegerForm form, NodeEmitter graph, List<Signal> inputs) {
        Require.given(form, "form");
        Require.given(graph, "graph");
        if (Require.given(inputs, "inputs").isEmpty() || form.mixesExamples()) {
            return form.emit(graph, inputs).get(0);
        }
        int batches = Signal.Stacked.partsOf(inputs.get(0)).size();
        if (batches == 1 && inputs.stream().noneMatch(Signal.Stacked.class::isInstance)) {
            return form.emit(graph, inputs).get(0);
        }
        List<Signal> results = new ArrayList<>();
        for (int batch = 0; batch < batches; batch++) {
            List<Signal> parts = new ArrayList<>();
            for (Signal input : inputs) {
                List<Signal> all = Signal.Stacked.partsOf(input);
                if (all.size() != batches) {
                    throw new IntegerRefusal(
                            "it reads a stack of "
                                    + Math.max(batches, all.size())
                                    + " batches and one of "
                                    + Math.min(batches, all.size()),
                            "let it read as many batches from each of its inputs");
                }
                parts.add(all.get(batch));
            }
            results.add(form.emit(graph.part(String.valueOf(batch)), parts).get(0));
        }
        return Signal.Stacked.of(results);
    }
}
