// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.engine.RandomGraph;
import org.junit.jupiter.api.Test;

/** The integer contract: ONNX Runtime and the reference give the same codes at every node. */
class OnnxRuntimeEqualityTest {

    private static final int GRAPHS = 400;

    @Test
    void everyCodeOfEveryNodeOfRandomGraphsIsTheReferences() {
        long codes = 0;
        for (long seed = 0; seed < GRAPHS; seed++) {
            RandomGraph random = RandomGraph.of(seed);
            try (Engine reference = Engine.open("reference", random.graph());
                    Engine runtime = Engine.open("onnxruntime", random.graph())) {
                EqualityReport report =
                        EqualityCheck.between(reference, runtime)
                                .over(random.inputs(seed % 2 == 0 ? 1 : 3));
                long failing = seed;
                assertTrue(report.equal(), () -> "graph of seed " + failing + ": " + report);
                codes += report.codesCompared();
            }
        }
        assertTrue(codes > 1_000_000, codes + " codes compared");
    }
}
