// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

class EqualityCheckTest {

    private static final IntGraph GRAPH =
            SmallGraphs.graph(
                    Shape.of(3),
                    SmallGraphs.uint8(1),
                    new Reshape("r", "q", Shape.of(3, 1)),
                    new Dequantize("d", "r"));

    private static final Map<String, Batch.Floats> TWO =
            Map.of("x", Batch.Floats.of(2, Shape.of(3), new float[] {1, 2, 3, 4, 5, 6}));

    /** The reference with one result of one node changed. */
    private record Faulty(Engine engine, String node, boolean inTrace) implements Engine {

        @Override
        public String name() {
            return "faulty";
        }

        @Override
        public IntGraph graph() {
            return engine.graph();
        }

        @Override
        public Map<String, Batch> run(Map<String, Batch.Floats> inputs) {
            return inTrace ? engine.run(inputs) : changed(engine.run(inputs));
        }

        @Override
        public Map<String, Batch> trace(Map<String, Batch.Floats> inputs) {
            return inTrace ? changed(engine.trace(inputs)) : engine.trace(inputs);
        }

        private Map<String, Batch> changed(Map<String, Batch> results) {
            Map<String, Batch> changed = new LinkedHashMap<>(results);
            changed.computeIfPresent(node, (name, batch) -> changed(batch));
            return changed;
        }

        private static Batch changed(Batch batch) {
            if (batch instanceof Batch.Codes codes) {
                byte[] containers = codes.containers().clone();
                containers[4]++;
                return Batch.Codes.of(batch.size(), batch.shape(), containers, codes.params());
            }
            float[] values = ((Batch.Floats) batch).values().clone();
            values[4] = Math.nextUp(values[4]);
            return Batch.Floats.of(batch.size(), batch.shape(), values);
        }

        @Override
        public void close() {
            engine.close();
        }
    }

    /** The functions of results are compared, too, and equal scores do not hide them. */
    @Test
    void findsAValueThatDiffersAfterTheLastFunctionOnly() {
        IntGraph graph =
                IntGraph.of(
                        GRAPH.nodes(),
                        GRAPH.outputs(),
                        Map.of("d", List.of(new OutputFunction.Softmax(0))));
        try (Engine reference = new ReferenceEngine(graph);
                Engine faulty = new Faulty(new ReferenceEngine(graph), "d", false)) {
            EqualityReport report = EqualityCheck.between(reference, faulty).over(List.of(TWO));
            assertEquals(Map.of("q", 0L, "r", 0L, "d", 1L), report.differing());
            EqualityCheck.between(reference, reference).over(List.of(TWO)).requireEqual();
        }
    }

    private static EqualityReport compare(String node, boolean inTrace) {
        try (Engine reference = new ReferenceEngine(GRAPH);
                Engine faulty = new Faulty(new ReferenceEngine(GRAPH), node, inTrace)) {
            return EqualityCheck.between(reference, faulty).over(List.of(TWO, TWO));
        }
    }

    @Test
    void findsEqualEnginesEqual() {
        EqualityReport report = compare("nothing", true);
        // 3 nodes, traced, and one output compared twice more: 5 times 3 codes of 4 examples
        assertEquals(5 * 3 * 4, report.codesCompared());
        assertEquals(4, report.examples());
        assertTrue(report.requireEqual().equal());
        assertEquals(Map.of("q", 0L, "r", 0L, "d", 0L), report.differing());
    }

    @Test
    void findsOneCodeThatDiffers() {
        EqualityReport report = compare("r", true);
        assertEquals(2, report.differingCodes());
        assertEquals(Map.of("q", 0L, "r", 2L, "d", 0L), report.differing());
        assertEquals(new EqualityReport.Difference("r", 1, 1, List.of(5, 6)), report.first());
        String message =
                assertThrows(IllegalStateException.class, report::requireEqual).getMessage();
        assertEquals(
                "2 of 60 codes of 4 examples differ between the engines 'reference' and 'faulty';"
                        + " first at node 'r', example 1, index 1: 5 and 6; by node: {r=2}",
                message);
    }

    @Test
    void findsTheLastBitOfAFloat() {
        EqualityReport report = compare("d", true);
        assertFalse(report.equal());
        assertEquals(List.of(5f, Math.nextUp(5f)), report.first().found());
    }

    @Test
    void findsAFaultThatOnlyThePlainRunHas() {
        assertEquals(2, compare("d", false).differingCodes());
    }

    @Test
    void refusesToCallNothingEqual() {
        try (Engine engine = new ReferenceEngine(GRAPH)) {
            EqualityReport report = EqualityCheck.between(engine, engine).over(List.of());
            assertFalse(report.equal());
            assertEquals(
                    "0 of 0 codes of 0 examples differ between the engines 'reference' and"
                            + " 'reference'; no input was given",
                    assertThrows(IllegalStateException.class, report::requireEqual).getMessage());
        }
    }

    @Test
    void refusesEnginesOfDifferentGraphs() {
        IntGraph other = SmallGraphs.graph(Shape.of(3), SmallGraphs.uint8(1));
        try (Engine left = new ReferenceEngine(GRAPH);
                Engine right = new ReferenceEngine(other)) {
            assertEquals(
                    "the engines run different graphs (IntGraph of 4 nodes, outputs [d] and"
                            + " IntGraph of 2 nodes, outputs [q]); open both with one graph",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> EqualityCheck.between(left, right))
                            .getMessage());
        }
    }

    @Test
    void refusesToCompareResultsOfDifferentSizes() {
        try (Engine reference = new ReferenceEngine(GRAPH);
                Engine faulty = new OneExample(new ReferenceEngine(GRAPH))) {
            String message =
                    assertThrows(
                                    IllegalStateException.class,
                                    () -> EqualityCheck.between(reference, faulty).over(TWO))
                            .getMessage();
            assertTrue(message.startsWith("node 'q': 2 x [3] codes of"), message);
            assertTrue(message.contains("cannot be compared with 1 x [3] codes of"), message);
        }
    }

    /** The reference, but of a batch it runs the first example only. */
    private record OneExample(Engine engine) implements Engine {

        @Override
        public String name() {
            return "one-example";
        }

        @Override
        public IntGraph graph() {
            return engine.graph();
        }

        @Override
        public Map<String, Batch> run(Map<String, Batch.Floats> inputs) {
            return engine.run(SmallGraphs.example(GRAPH, 1, 2, 3));
        }

        @Override
        public Map<String, Batch> trace(Map<String, Batch.Floats> inputs) {
            return engine.trace(SmallGraphs.example(GRAPH, 1, 2, 3));
        }

        @Override
        public void close() {
            engine.close();
        }
    }
}
