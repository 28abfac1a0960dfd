// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.check.Require;

/**
 * The form of several steps in a row under one name, such as a composed preprocessor.
 *
 * @param parts the forms, in order
 */
public record SequenceForm(List<IntegerForm> parts) implements IntegerForm {

    /** Copies the parts. */
    public SequenceForm {
        parts = List.copyOf(parts);
    }

    /**
     * Returns the support of steps in a row.
     *
     * @param parts the support of each step, in order
     * @return a form, or the refusal of the first part that has none
     */
    public static IntegerSupport of(List<IntegerSupport> parts) {
        for (IntegerSupport part : Require.given(parts, "parts")) {
            if (part.refusal().isPresent()) {
                return part.refusal().get();
            }
        }
        return IntegerSupport.of(
                tensors ->
                        new SequenceForm(
                                parts.stream()
                                        .map(part -> part.form(tensors).orElseThrow())
                                        .toList()));
    }

    @Override
    public boolean mixesExamples() {
        return parts.stream().anyMatch(IntegerForm::mixesExamples);
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        List<Signal> signals = new ArrayList<>(inputs);
        for (int i = 0; i < parts.size(); i++) {
            NodeEmitter part = graph.part(String.valueOf(i));
            signals = new ArrayList<>(List.of(Stacks.emit(parts.get(i), part, signals)));
        }
        return signals;
    }
}
