// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.layer.integer.IntegerForm;
import org.dl4jquant.layer.integer.IntegerRefusal;
import org.dl4jquant.layer.integer.NodeEmitter;
import org.dl4jquant.layer.integer.Signal;

/** Steps that compute the same for each batch of a stack, with the same weights. */
final class Stacks {

    private Stacks() {}

    /**
     * {@return the result of a step; a stack, if it reads stacks}
     *
     * @param form the step's form, which does not mix examples
     * @param graph takes the nodes; those of the batch numbered {@code i} end with its number
     * @param inputs the step's inputs
     * @throws IntegerRefusal if it reads stacks of different sizes
     */
    static Signal emit(IntegerForm form, NodeEmitter graph, List<Signal> inputs) {
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
