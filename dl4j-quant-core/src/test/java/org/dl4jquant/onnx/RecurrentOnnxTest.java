// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.engine.RandomSequences;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Recurrent layers as Scan: read back equal, and computed as by the reference. */
class RecurrentOnnxTest {

    private static final int FEW = 40;
    private static final int MANY = 400;

    @Test
    void everyCodeOfRandomRecurrentLayersIsTheReferences() {
        requireEqual(0, FEW);
    }

    @Tag("thorough")
    @Test
    void everyCodeOfManyRecurrentLayersIsTheReferences() {
        requireEqual(FEW, MANY);
    }

    private static void requireEqual(long first, long end) {
        long codes = 0;
        for (long seed = first; seed < end; seed++) {
            RandomSequences drawn = RandomSequences.of(seed);
            EqualityReport report = check(drawn.graph(), drawn.inputs(1 + (int) (seed % 3)));
            long failing = seed;
            assertTrue(
                    report.equal(),
                    () -> "seed " + failing + ": " + drawn.graph().nodes() + "\n" + report);
            codes += report.codesCompared();
        }
        assertTrue(codes > 500 * (end - first), codes + " codes compared");
    }

    @Test
    void readsBackWhatIsWritten() {
        for (long seed = 0; seed < FEW; seed++) {
            IntGraph graph = RandomSequences.of(seed).graph();
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
