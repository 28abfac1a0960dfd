// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.dl4jquant.graph.IntGraph;

/** Finds engines by name among those that are on the class path. */
final class EngineRegistry {

    private EngineRegistry() {}

    static Engine open(String name, IntGraph graph) {
        List<EngineProvider> providers =
                ServiceLoader.load(EngineProvider.class).stream()
                        .map(ServiceLoader.Provider::get)
                        .toList();
        return providers.stream()
                .filter(provider -> provider.name().equals(name))
                .findFirst()
                .orElseThrow(() -> unknown(name, providers))
                .open(graph);
    }

    private static IllegalArgumentException unknown(String name, List<EngineProvider> providers) {
        String known =
                providers.stream()
                        .map(EngineProvider::name)
                        .collect(Collectors.toCollection(TreeSet::new))
                        .stream()
                        .collect(Collectors.joining(", "));
        return new IllegalArgumentException(
                "there is no engine '"
                        + name
                        + "'; on the class path are: "
                        + known
                        + ". Add the module that holds it, or use one of these");
    }
}
