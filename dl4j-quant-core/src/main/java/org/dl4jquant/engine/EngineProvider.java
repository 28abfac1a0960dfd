// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.graph.IntGraph;

/** Makes engines of one kind; registered under {@code META-INF/services}. */
public interface EngineProvider {

    /** {@return the name that {@link Engine#open} knows it by} */
    String name();

    /**
     * {@return an engine for the graph}
     *
     * @param graph the graph to run
     * @throws IllegalStateException if this engine cannot be used here; the message says why and
     *     what to do
     */
    Engine open(IntGraph graph);
}
