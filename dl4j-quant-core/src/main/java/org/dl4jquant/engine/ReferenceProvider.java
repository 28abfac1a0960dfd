// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.graph.IntGraph;

/** Makes the engine {@code reference}, which runs everywhere. */
public final class ReferenceProvider implements EngineProvider {

    /** For {@link java.util.ServiceLoader}. */
    public ReferenceProvider() {}

    @Override
    public String name() {
        return ReferenceEngine.NAME;
    }

    @Override
    public Engine open(IntGraph graph) {
        return new ReferenceEngine(graph);
    }
}
