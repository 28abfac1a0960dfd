// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.Set;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.plan.GpuSupport;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EngineContract;
import org.dl4jquant.graph.IntGraph;

/** What every engine must do, on an emulated GPU. */
class CudaEngineContractTest extends EngineContract {

    @Override
    protected Engine open(IntGraph graph) {
        return CudaEngine.open(
                graph, EmulatedDriver.engine(graph, Architecture.SM_80), new EmulatedDriver(86));
    }

    @Override
    protected Set<String> refusedKinds() {
        return GpuSupport.refusedKinds();
    }

    /* Each takes seconds; PlannerTest has more of them. */
    @Override
    protected int graphs() {
        return 10;
    }
}
