// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;

/**
 * The form of a vertex that takes one of several batches that were stacked.
 *
 * @param from which one
 * @param stackSize how many there are
 */
public record UnstackForm(int from, int stackSize) implements IntegerForm {

    /**
     * Returns the support of the vertex.
     *
     * @param from which batch it takes
     * @param stackSize how many there are
     * @return a form
     */
    public static IntegerSupport of(int from, int stackSize) {
        return IntegerSupport.of(tensors -> new UnstackForm(from, stackSize));
    }

    @Override
    public boolean mixesExamples() {
        return true;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        List<Signal> parts = Signal.Stacked.partsOf(inputs.get(0));
        if (stackSize <= 0 || from < 0 || from >= stackSize || parts.size() % stackSize != 0) {
            throw new IntegerRefusal(
                    "it takes part "
                            + from
                            + " of "
                            + stackSize
                            + ", and its input is "
                            + (parts.size() == 1
                                    ? "one batch"
                                    : "a stack of " + parts.size() + " batches"),
                    "unstack what a StackVertex has stacked, in as many parts; examples of one"
                            + " batch do not depend on one another in an integer graph");
        }
        int each = parts.size() / stackSize;
        return List.of(Signal.Stacked.of(parts.subList(from * each, (from + 1) * each)));
    }
}
