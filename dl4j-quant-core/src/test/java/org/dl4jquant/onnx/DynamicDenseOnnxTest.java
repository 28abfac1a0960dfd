// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.engine.RandomDynamic;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Products whose scales are found at run time: read back equal, computed as by the reference. */
class DynamicDenseOnnxTest {

    private static final int GRAPHS = 60;
    private static final int MANY = 2000;

    @Test
    void everyValueOfRandomGraphsIsTheReferences() {
        assertTrue(compared(0, GRAPHS) > 3_000);
    }

    @Test
    @Tag("thorough")
    void everyValueOfManyRandomGraphsIsTheReferences() {
        assertTrue(compared(GRAPHS, MANY) > 100_000);
    }

    private static long compared(int first, int count) {
        long codes = 0;
        for (long seed = first; seed < first + count; seed++) {
            RandomDynamic drawn = RandomDynamic.of(seed);
            EqualityReport report = check(drawn.graph(), drawn.inputs(1 + (int) (seed % 4)));
            long failing = seed;
            assertTrue(
                    report.equal(),
                    () -> "seed " + failing + ": " + drawn.graph().nodes() + "\n" + report);
            codes += report.codesCompared();
        }
        return codes;
    }

    @Test
    void readsBackWhatIsWritten() {
        for (long seed = 0; seed < 3 * GRAPHS; seed++) {
            IntGraph graph = RandomDynamic.of(seed).graph();
            assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "seed " + seed));
        }
    }

    private static EqualityReport check(IntGraph graph, Map<String, Batch.Floats> inputs) {
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            return EqualityCheck.between(reference, runtime).over(inputs);
        }
    }
}
