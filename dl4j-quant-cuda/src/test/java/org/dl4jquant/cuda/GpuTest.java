// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.cuda.plan.GpuSupport;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EngineContract;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The engine on a real GPU; run by {@code -Pgpu}. */
@Tag("gpu")
class GpuTest extends EngineContract {

    @Override
    protected Engine open(IntGraph graph) {
        return Engine.open("cuda", graph);
    }

    @Override
    protected Set<String> refusedKinds() {
        return GpuSupport.refusedKinds();
    }

    @Test
    void wholeNetworksAreExact() {
        List<IntGraph> networks =
                List.of(
                        Networks.leNet(8),
                        Networks.leNet(4),
                        Networks.resNet18(64, 32, 10),
                        Networks.mobileNet(96, 10),
                        Networks.resNet50(96));
        for (IntGraph graph : networks) {
            try (Engine gpu = open(graph);
                    Engine reference = Engine.open("reference", graph)) {
                EqualityCheck.between(reference, gpu)
                        .over(List.of(Networks.inputs(graph, 1), Networks.inputs(graph, 3)))
                        .requireEqual();
            }
        }
    }

    @Test
    void everyArchitecturesCodeThatRunsHereIsExact() {
        IntGraph graph = Networks.resNet18(64, 32, 10);
        Map<String, Batch.Floats> inputs = Networks.inputs(graph, 2);
        DeviceReport here = DeviceReport.all().get(0);
        GoldenRun golden;
        try (Engine reference = Engine.open("reference", graph)) {
            golden = GoldenRun.of(reference, inputs);
        }
        int tried = 0;
        for (String name : List.of("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_90a")) {
            EngineFile file = CudaEngine.compile(graph, Target.parse(name).withTraces());
            if (here.wouldRun(file).isPresent()) {
                tried++;
                try (EngineOnDevice engine = EngineOnDevice.open(file)) {
                    assertEquals(Optional.empty(), golden.firstDifference(engine), name);
                }
            }
        }
        assertTrue(tried > 0, here.toString());
    }
}
