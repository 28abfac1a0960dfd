// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * Which step of a network reads which: the steps in the order of the forward pass. The result of a
 * step has the step's name.
 *
 * @param <S> the type of a step
 */
public final class Topology<S extends Topology.Node> {

    /** A step of a network by its name and the names that it reads. */
    public interface Node {

        /**
         * Returns the step's name.
         *
         * @return the name, which no other step or input of the network has
         */
        String name();

        /**
         * Returns the tensors that the step reads.
         *
         * @return names of steps or network inputs, in the step's order
         */
        List<String> inputs();
    }

    private final Map<String, S> steps;
    private final List<String> inputs;
    private final List<String> outputs;

    /**
     * Creates a topology.
     *
     * @param steps the steps, each after those that it reads
     * @param inputs the names of the network's inputs, in the network's order
     * @param outputs the names of the steps whose results leave the network, in its order
     * @throws IllegalArgumentException if a step reads a name that is neither an input nor a step
     *     before it, or if a name occurs twice
     */
    public Topology(
            Collection<? extends S> steps, Collection<String> inputs, Collection<String> outputs) {
        this.steps = new LinkedHashMap<>();
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
        Set<String> known = new HashSet<>(inputs);
        for (S step : steps) {
            Require.argument(
                    known.containsAll(step.inputs()),
                    "step '%s' reads %s; before it there are only %s",
                    step.name(),
                    step.inputs(),
                    known);
            Require.argument(
                    known.add(step.name()), "there are two steps of the name '%s'", step.name());
            this.steps.put(step.name(), step);
        }
        Require.argument(
                known.containsAll(outputs), "outputs %s; there are only %s", outputs, known);
    }

    /**
     * Returns the steps.
     *
     * @return them, in the order of the forward pass
     */
    public Collection<S> steps() {
        return Collections.unmodifiableCollection(steps.values());
    }

    /**
     * Returns a step.
     *
     * @param name a name
     * @return the step of this name; null if it is a network input, or unknown
     */
    public @Nullable S step(String name) {
        return steps.get(name);
    }

    /**
     * Returns the names of the network's inputs.
     *
     * @return them, in the network's order
     */
    public List<String> inputs() {
        return inputs;
    }

    /**
     * Returns the names of the steps whose results leave the network.
     *
     * @return them, in the network's order
     */
    public List<String> outputs() {
        return outputs;
    }

    /**
     * Returns the steps that read a tensor.
     *
     * @param name a step or network input
     * @return them, in the order of the forward pass
     */
    public List<S> consumers(String name) {
        return steps.values().stream().filter(step -> step.inputs().contains(name)).toList();
    }

    /**
     * Returns the only reader of a tensor.
     *
     * @param name a step or network input
     * @return the one step that reads it; null if several or none do, or if it leaves the network
     */
    public @Nullable S onlyConsumer(String name) {
        List<S> consumers = consumers(name);
        return consumers.size() == 1 && !outputs.contains(name) ? consumers.get(0) : null;
    }

    /**
     * Returns the origins of the values that a step reads: back from the step through all steps
     * that merely pass values on.
     *
     * @param name a step
     * @param passes whether a step merely passes values on, so that the search goes on before it
     * @return the names of the nearest steps that do not, and of the network inputs that are
     *     reached, nearest first
     */
    public Set<String> producers(String name, Predicate<? super S> passes) {
        Set<String> producers = new LinkedHashSet<>();
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>(reads(name));
        while (!open.isEmpty()) {
            String next = open.remove();
            S step = steps.get(next);
            if (seen.add(next)) {
                if (step != null && passes.test(step)) {
                    open.addAll(step.inputs());
                } else {
                    producers.add(next);
                }
            }
        }
        return producers;
    }

    private List<String> reads(String name) {
        S step = steps.get(name);
        return step == null ? List.of() : step.inputs();
    }

    /**
     * Returns the steps in which the values of a tensor are used: on from the tensor through all
     * steps that merely pass values on.
     *
     * @param name a step or network input
     * @param passes whether a step merely passes values on, so that the search goes on after it
     * @return the names of the nearest steps that do not
     */
    public Set<String> users(String name, Predicate<? super S> passes) {
        Set<String> users = new LinkedHashSet<>();
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(name));
        while (!open.isEmpty()) {
            for (S step : consumers(open.remove())) {
                if (seen.add(step.name())) {
                    if (passes.test(step)) {
                        open.add(step.name());
                    } else {
                        users.add(step.name());
                    }
                }
            }
        }
        return users;
    }

    /**
     * Returns the same topology with other steps.
     *
     * @param <T> the type of the new steps
     * @param of gives the new step, which has the same name and inputs, for an old one
     * @return the new topology
     */
    public <T extends Node> Topology<T> map(Function<? super S, ? extends T> of) {
        List<T> mapped = new ArrayList<>();
        steps.values().forEach(step -> mapped.add(of.apply(step)));
        return new Topology<>(mapped, inputs, outputs);
    }
}
