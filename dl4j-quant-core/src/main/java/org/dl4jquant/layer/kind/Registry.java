// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/** The kinds of configurations by the configurations' exact classes. */
final class Registry {

    private final Map<Class<?>, Function<Object, LayerKind>> kinds = new HashMap<>();

    /**
     * Adds a kind.
     *
     * @param kind makes the kind of a configuration
     * @param types the configurations' exact classes
     * @param <C> the context that the kind needs
     * @return this
     * @throws IllegalStateException if a class has a kind already
     */
    <C> Registry add(Function<? super C, LayerKind> kind, List<Class<? extends C>> types) {
        for (Class<? extends C> type : types) {
            boolean first = kinds.putIfAbsent(type, conf -> kind.apply(type.cast(conf))) == null;
            Require.state(first, "%s has two kinds; a class has one", type.getName());
        }
        return this;
    }

    /** {@return the kind of a configuration by a class that it has or extends; null without one} */
    @Nullable LayerKind kind(Object configuration, Class<?> type) {
        Function<Object, LayerKind> kind = kinds.get(type);
        return kind == null ? null : kind.apply(configuration);
    }

    /** {@return the classes that have a kind} */
    Set<Class<?>> types() {
        return Set.copyOf(kinds.keySet());
    }
}
