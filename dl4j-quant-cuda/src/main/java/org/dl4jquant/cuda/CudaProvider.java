// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EngineProvider;
import org.dl4jquant.graph.IntGraph;

/** Makes {@code Engine.open("cuda", graph)} work. */
public final class CudaProvider implements EngineProvider {

    /** For the service loader. */
    public CudaProvider() {}

    @Override
    public String name() {
        return CudaEngine.NAME;
    }

    @Override
    public Engine open(IntGraph graph) {
        try {
            return CudaEngine.open(graph);
        } catch (CudaException | CompilationException e) {
            throw new IllegalStateException(
                    "the engine '" + name() + "' cannot be used here: " + e.getMessage(), e);
        }
    }
}
