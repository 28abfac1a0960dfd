// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/** The kinds of configurations by the configurations' exact classes. */
final class Registry {

    private final Map<Class<?>, Function<Object, LayerKind>> kinds = new HashMap<>();

    /** The first class of each kind: the others are its aliases. */
    private final Map<Class<?>, Class<?>> aliases = new HashMap<>();

    /** By the first class of each kind. */
    private final Map<Class<?>, Lowering> lowering = new LinkedHashMap<>();

    /**
     * Adds a kind that stays in float when the network is lowered.
     *
     * @param kind makes the kind of a configuration
     * @param types the configurations' exact classes
     * @param <C> the context that the kind needs
     * @return this
     * @throws IllegalStateException if a class has a kind already
     */
    <C> Registry add(Function<? super C, LayerKind> kind, List<Class<? extends C>> types) {
        return add(Lowering.NONE, kind, types);
    }

    /**
     * Adds a kind.
     *
     * @param lowers which of its configurations lower
     * @param kind makes the kind of a configuration
     * @param types the configurations' exact classes
     * @param <C> the context that the kind needs
     * @return this
     * @throws IllegalStateException if a class has a kind already
     */
    <C> Registry add(
            Lowering lowers, Function<? super C, LayerKind> kind, List<Class<? extends C>> types) {
        for (Class<? extends C> type : types) {
            boolean first = kinds.putIfAbsent(type, conf -> kind.apply(type.cast(conf))) == null;
            Require.state(first, "%s has two kinds; a class has one", type.getName());
        }
        types.forEach(type -> aliases.put(type, types.get(0)));
        lowering.put(types.get(0), lowers);
        return this;
    }

    /**
     * {@return the words for all that lower, in the order of registration}
     *
     * @param base DL4J's class or interface of layers, vertices or preprocessors
     */
    List<String> lowering(Class<?> base) {
        Set<Lowering> named = EnumSet.of(Lowering.NONE);
        List<String> words = new ArrayList<>();
        lowering.forEach(
                (type, lowers) -> {
                    if (base.isAssignableFrom(type) && !named.contains(lowers)) {
                        words.add(lowers.words(type));
                        if (lowers.isGroup()) {
                            named.add(lowers);
                        }
                    }
                });
        return words;
    }

    /** {@return the kind of a configuration by a class that it has or extends; null without one} */
    @Nullable LayerKind kind(Object configuration, Class<?> type) {
        Function<Object, LayerKind> kind = kinds.get(type);
        return kind == null ? null : kind.apply(configuration);
    }

    /**
     * {@return which configurations of a class are said to lower; none if it has no kind}
     *
     * @param type the class
     */
    Lowering lowers(Class<?> type) {
        Class<?> first = aliases.get(type);
        return first == null ? Lowering.NONE : lowering.getOrDefault(first, Lowering.NONE);
    }

    /** {@return the first class of each kind, in the order of registration} */
    Set<Class<?>> firstTypes() {
        return Collections.unmodifiableSet(lowering.keySet());
    }

    /** {@return the classes that have a kind} */
    Set<Class<?>> types() {
        return Set.copyOf(kinds.keySet());
    }
}
