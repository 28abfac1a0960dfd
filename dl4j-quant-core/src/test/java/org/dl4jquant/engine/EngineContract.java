// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

/** The contract of every engine; each engine has a test class that extends this one. */
public abstract class EngineContract {

    private static final int BATCH = 3;

    /**
     * {@return the engine under test}
     *
     * @param graph the graph to run
     */
    protected abstract Engine open(IntGraph graph);

    /** {@return the kinds of nodes that the engine refuses, as {@link IntNode#kind} names them} */
    protected Set<String> refusedKinds() {
        return Set.of();
    }

    private RandomGraph random(long seed) {
        return RandomGraph.without(refusedKinds(), seed);
    }

    /** {@return with how many random graphs it is compared} */
    protected int graphs() {
        return 20;
    }

    @Test
    void equalsTheReferenceInEveryCodeOfEveryNode() {
        for (long seed = 0; seed < graphs(); seed++) {
            RandomGraph random = random(seed);
            try (Engine engine = open(random.graph());
                    Engine reference = new ReferenceEngine(random.graph())) {
                EqualityCheck.between(reference, engine)
                        .over(List.of(random.inputs(1), random.inputs(BATCH)))
                        .requireEqual();
            }
        }
    }

    @Test
    void namesItselfAndKnowsItsGraph() {
        IntGraph graph = random(1).graph();
        try (Engine engine = open(graph)) {
            assertEquals(graph, engine.graph());
            assertTrue(engine.name().matches("[a-z0-9-]+"), engine.name());
        }
    }

    @Test
    void givesTheGraphsOutputsAndTracesAllOtherNodesButInputs() {
        RandomGraph random = random(4);
        try (Engine engine = open(random.graph())) {
            assertEquals(
                    random.graph().outputs(),
                    List.copyOf(engine.run(random.inputs(BATCH)).keySet()));
            assertEquals(
                    random.graph().nodes().stream()
                            .filter(node -> !(node instanceof Input))
                            .map(IntNode::name)
                            .toList(),
                    List.copyOf(engine.trace(random.inputs(BATCH)).keySet()));
        }
    }

    @Test
    void givesEachExampleTheSameCodesAloneAndInABatch() {
        RandomGraph random = random(7);
        Map<String, Batch.Floats> inputs = random.inputs(BATCH);
        try (Engine engine = open(random.graph())) {
            Map<String, Batch> together = engine.run(inputs);
            for (int example = 0; example < BATCH; example++) {
                int chosen = example;
                Map<String, Batch.Floats> alone = new HashMap<>();
                inputs.forEach((name, batch) -> alone.put(name, example(batch, chosen)));
                engine.run(alone)
                        .forEach(
                                (name, batch) ->
                                        assertArrayEquals(
                                                numbers(together.get(name), chosen),
                                                numbers(batch, 0)));
            }
        }
    }

    private static Batch.Floats example(Batch.Floats batch, int example) {
        int length = batch.shape().elements();
        return Batch.Floats.of(
                1,
                batch.shape(),
                Arrays.copyOfRange(batch.values(), example * length, (example + 1) * length));
    }

    private static double[] numbers(Batch batch, int example) {
        double[] numbers = new double[batch.shape().elements()];
        for (int i = 0; i < numbers.length; i++) {
            int index = example * numbers.length + i;
            numbers[i] =
                    batch instanceof Batch.Codes codes
                            ? codes.code(index)
                            : ((Batch.Floats) batch).values()[index];
        }
        return numbers;
    }

    @Test
    void givesManyThreadsTheSameCodes() throws InterruptedException, ExecutionException {
        RandomGraph random = random(9);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (Engine engine = open(random.graph());
                Engine reference = new ReferenceEngine(random.graph())) {
            List<Callable<EqualityReport>> checks = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                checks.add(
                        () -> EqualityCheck.between(reference, engine).over(random.inputs(BATCH)));
            }
            for (Future<EqualityReport> check : threads.invokeAll(checks)) {
                check.get().requireEqual();
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void refusesToRunWhenClosed() {
        RandomGraph random = random(2);
        Engine engine = open(random.graph());
        engine.close();
        engine.close();
        String message =
                assertThrows(IllegalStateException.class, () -> engine.run(random.inputs(1)))
                        .getMessage();
        assertTrue(message.contains("closed"), message);
        assertThrows(IllegalStateException.class, () -> engine.trace(random.inputs(1)));
    }

    @Test
    void refusesInputsThatDoNotFit() {
        IntGraph graph = SmallGraphs.graph(Shape.of(2, 3), SmallGraphs.uint8(1));
        try (Engine engine = open(graph)) {
            Map<String, Batch.Floats> nan = SmallGraphs.example(graph, 1, 2, 3, Double.NaN, 5, 6);
            assertEquals(
                    "input 'x' is NaN in example 0 at index 3 of [2x3], and no code stands for NaN;"
                            + " leave the example out, or replace what is missing in it",
                    assertThrows(IllegalArgumentException.class, () -> engine.run(nan))
                            .getMessage());
            assertThrows(IllegalArgumentException.class, () -> engine.trace(nan));
            assertThrows(IllegalArgumentException.class, () -> engine.run(Map.of()));
        }
    }

    @Test
    void infinityBecomesTheSmallestAndTheLargestCode() {
        double least = Double.NEGATIVE_INFINITY;
        double most = Double.POSITIVE_INFINITY;
        for (QuantParams params : List.of(SmallGraphs.uint8(0.5), SmallGraphs.int8(0.5))) {
            IntGraph graph = SmallGraphs.graph(Shape.of(4), params);
            try (Engine engine = open(graph)) {
                CodeRange range = params.range();
                Batch codes =
                        engine.run(SmallGraphs.example(graph, least, most, 3, least)).get("q");
                assertEquals(
                        List.of(range.min(), range.max(), 6, range.min()),
                        SmallGraphs.codes(codes));
            }
        }
    }

    @Test
    void infinityIsComputedWithAsTheReferenceDoes() {
        for (int seed = 0; seed < 4; seed++) {
            RandomGraph random = random(seed);
            Map<String, Batch.Floats> inputs = random.inputs(BATCH);
            Map<String, Batch.Floats> numbers = new HashMap<>(inputs);
            random.graph().indexLimits().keySet().forEach(numbers::remove);
            for (Batch.Floats input : numbers.values()) {
                for (int i = seed; i < input.values().length; i += 5) {
                    input.values()[i] =
                            i % 2 == 0 ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
                }
            }
            try (Engine engine = open(random.graph());
                    Engine reference = new ReferenceEngine(random.graph())) {
                EqualityCheck.between(reference, engine).over(inputs).requireEqual();
            }
        }
    }
}
