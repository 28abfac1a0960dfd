// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.IntNode;
import org.junit.jupiter.api.Test;

/** Whole plans, run on the CPU, against the reference engine. */
class PlannerTest {

    private static final int GRAPHS = 40;
    private static final int BATCH = 3;

    @Test
    void runsAndTracesRandomGraphsExactly() {
        for (long seed = 0; seed < GRAPHS; seed++) {
            RandomGraph random = RandomGraph.of(seed);
            IntGraph graph = random.graph();
            if (graph.nodes().stream().anyMatch(PlannerTest::hasGroups)) {
                continue;
            }
            Map<String, Batch.Floats> inputs = random.inputs(BATCH);
            try (Engine reference = Engine.open("reference", graph)) {
                Plan run = Planner.run(graph, Architecture.SM_80, BATCH);
                requireEqual(seed, reference.run(inputs), EmulatedPlan.run(run, inputs, seed));
                Plan trace = Planner.trace(graph, Architecture.SM_80);
                requireEqual(seed, reference.trace(inputs), EmulatedPlan.run(trace, inputs, seed));
            }
        }
    }

    private static boolean hasGroups(IntNode node) {
        return node instanceof IntNode.Convolution convolution && convolution.groups() > 1;
    }

    private static void requireEqual(
            long seed, Map<String, Batch> expected, Map<String, Batch> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach(
                (name, batch) -> {
                    String what = "graph " + seed + ", '" + name + "'";
                    if (batch instanceof Batch.Codes codes) {
                        Batch.Codes other = (Batch.Codes) found.get(name);
                        assertEquals(codes.params(), other.params(), what);
                        assertArrayEquals(codes.containers(), other.containers(), what);
                    } else {
                        assertArrayEquals(
                                ((Batch.Floats) batch).values(),
                                ((Batch.Floats) found.get(name)).values(),
                                what);
                    }
                });
    }
}
