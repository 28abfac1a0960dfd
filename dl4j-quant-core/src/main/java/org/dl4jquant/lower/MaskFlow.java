// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.layer.integer.MaskUse;

/*
 * Which inputs are sequences shows when the first step reads a mask: a mask that no step reads is no
 * input of the graph, and a step that cannot obey a mask is an obstacle only if another one does.
 */
/** The masks of the network's inputs on their way through the steps. */
final class MaskFlow {

    private final boolean wanted;
    private final Set<String> inputs = new LinkedHashSet<>();
    private final Map<String, Optional<String>> masks = new HashMap<>();
    private final List<Refused> refused = new ArrayList<>();

    /**
     * A step that does not obey masks.
     *
     * @param input the network input that has the mask
     * @param step the step
     * @param reason why the step cannot be lowered with a mask
     */
    private record Refused(String input, String step, String reason) {}

    /**
     * Starts without inputs.
     *
     * @param wanted whether there are masks
     */
    MaskFlow(boolean wanted) {
        this.wanted = wanted;
    }

    void input(String name) {
        inputs.add(name);
        masks.put(name, wanted ? Optional.of(name) : Optional.empty());
    }

    /** {@return the network input whose mask a step's input has; empty without one} */
    Optional<String> arriving(String step, String input) {
        return arriving(step, List.of(input));
    }

    /** {@return the same for a step of several inputs} */
    Optional<String> arriving(String step, List<String> read) {
        Set<Optional<String>> different = new LinkedHashSet<>();
        read.forEach(input -> different.add(of(input)));
        Optional<String> mask =
                different.stream().filter(Optional::isPresent).findFirst().orElse(Optional.empty());
        if (different.size() > 1) {
            for (Optional<String> each : different) {
                each.ifPresent(
                        input ->
                                refused.add(
                                        new Refused(
                                                input,
                                                step,
                                                "it reads sequences with different masks, or with a"
                                                        + " mask and without one")));
            }
        }
        masks.put(step, mask);
        return mask;
    }

    /** {@return the network input whose mask a step's result has; empty without one} */
    Optional<String> of(String step) {
        return masks.getOrDefault(step, Optional.empty());
    }

    /** Passes a step, which does this with the mask of its input. */
    void pass(String step, MaskUse use) {
        if (use == MaskUse.ENDS) {
            masks.put(step, Optional.empty());
        } else if (use == MaskUse.REFUSED) {
            of(step).ifPresent(
                            input ->
                                    refused.add(
                                            new Refused(
                                                    input,
                                                    step,
                                                    "its input has a mask, which its integer form"
                                                            + " does not obey")));
        }
    }

    /** Begins the mask of a network input at a step, whose result has the steps of that input. */
    void begin(String step, String input) {
        of(input)
                .ifPresent(
                        masked ->
                                refused.add(
                                        new Refused(
                                                masked,
                                                step,
                                                "it repeats its input as often as '"
                                                        + input
                                                        + "' has steps, whose mask its integer form"
                                                        + " does not hand on")));
    }

    /** Adds the steps that do not obey masks, or the network in which no step reads one. */
    void addObstacles(GraphBuilder graph, Obstacles obstacles) {
        for (Refused step : refused) {
            if (graph.hasMask(step.input())) {
                obstacles.add(
                        step.step(), step.reason(), "lower the network without masks of sequences");
            }
        }
        if (wanted && inputs.stream().noneMatch(graph::hasMask)) {
            obstacles.add(
                    inputs.iterator().next(),
                    "it is to have a mask, which no step of the network reads",
                    "lower the network without masks of sequences");
        }
    }
}
