// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whole plans, run on the CPU, against the reference engine. */
class PlannerTest {

    private static final int GRAPHS = 12;
    private static final int MANY_GRAPHS = 200;
    private static final int PATTERNS = 6;
    private static final int MANY_PATTERNS = 60;
    private static final int BATCH = 3;
    private static final int SCHEDULES = 3;

    @Test
    void runsAndTracesRandomGraphsExactly() {
        requireExact(0, GRAPHS);
    }

    @Tag("thorough")
    @Test
    void runsAndTracesManyRandomGraphsExactly() {
        requireExact(GRAPHS, MANY_GRAPHS);
    }

    private static void requireExact(long from, long to) {
        for (long seed = from; seed < to; seed++) {
            RandomGraph random = RandomGraph.without(GpuSupport.refusedKinds(), seed);
            requireExact("graph " + seed, random.graph(), random.inputs(BATCH), seed);
        }
    }

    @Test
    void runsLayersThatReadTheSameExactly() {
        requireExactSiblings(PATTERNS);
    }

    @Tag("thorough")
    @Test
    void runsManyLayersThatReadTheSameExactly() {
        requireExactSiblings(MANY_PATTERNS);
    }

    private static void requireExactSiblings(int patterns) {
        int stacked = 0;
        for (long seed = 0; seed < patterns; seed++) {
            IntGraph graph = RandomPatterns.siblings(seed);
            Architecture architecture = seed % 2 == 0 ? Architecture.SM_80 : Architecture.SM_90A;
            requireExactRun(
                    "siblings " + seed,
                    graph,
                    RandomPatterns.inputs(graph, BATCH),
                    architecture,
                    seed);
            stacked += areStacked(graph, architecture) ? 1 : 0;
        }
        assertTrue(stacked >= patterns / 2, stacked + " of them are one product");
    }

    @Test
    void runsConvolutionsThatArePooledExactly() {
        requireExactPools(PATTERNS);
    }

    @Tag("thorough")
    @Test
    void runsManyConvolutionsThatArePooledExactly() {
        requireExactPools(MANY_PATTERNS);
    }

    private static void requireExactPools(int patterns) {
        int joined = 0;
        for (long seed = 0; seed < patterns; seed++) {
            IntGraph graph = RandomPatterns.pooled(seed);
            Architecture architecture = seed % 2 == 0 ? Architecture.SM_75 : Architecture.SM_90A;
            requireExactRun(
                    "pooled " + seed,
                    graph,
                    RandomPatterns.inputs(graph, BATCH),
                    architecture,
                    seed);
            joined +=
                    Planner.run(graph, architecture, BATCH).kernels().stream()
                                    .anyMatch(
                                            kernel -> "1".equals(kernel.constants().get("QK_POOL")))
                            ? 1
                            : 0;
        }
        assertTrue(joined >= patterns / 2, joined + " pools are computed with their convolution");
    }

    private static boolean areStacked(IntGraph graph, Architecture architecture) {
        return Siblings.stacked(
                        Fusion.of(graph),
                        graph,
                        Slices.of(graph),
                        architecture,
                        Candidates.best(BATCH))
                .stream()
                .anyMatch(work -> !work.siblings().isEmpty());
    }

    @Test
    void runsAndTracesWhatRandomGraphsSeldomHave() {
        List<IntGraph> graphs = PlanCases.all();
        for (int i = 0; i < graphs.size(); i++) {
            for (long schedule = 0; schedule < SCHEDULES; schedule++) {
                requireExact("case " + i, graphs.get(i), PlanCases.inputs(), schedule);
            }
        }
    }

    private static void requireExact(
            String what, IntGraph graph, Map<String, Batch.Floats> inputs, long schedule) {
        requireExactRun(what, graph, inputs, Architecture.SM_80, schedule);
        try (Engine reference = Engine.open("reference", graph)) {
            Plan trace = Planner.trace(graph, Architecture.SM_80);
            requireEqual(what, reference.trace(inputs), EmulatedPlan.run(trace, inputs, schedule));
        }
    }

    private static void requireExactRun(
            String what,
            IntGraph graph,
            Map<String, Batch.Floats> inputs,
            Architecture architecture,
            long schedule) {
        // A plan makes scores: last functions are the engine's.
        try (Engine reference = Engine.open("reference", graph.scores())) {
            Plan run = Planner.run(graph, architecture, candidates(schedule));
            requireEqual(what, reference.run(inputs), EmulatedPlan.run(run, inputs, schedule));
        }
    }

    /* A run takes one of each step's ways, by the schedule. */
    private static Candidates candidates(long schedule) {
        return schedule % 4 == 3 ? new Candidates(List.of(BATCH, 64), 2) : Candidates.best(BATCH);
    }

    /** Otherwise the tests above would prove less than they say. */
    @Test
    void theseGraphsNeedEveryKernelAndEveryPass() {
        Set<String> files = new TreeSet<>();
        Set<String> found = new TreeSet<>();
        List<IntGraph> graphs = new ArrayList<>(PlanCases.all());
        LongStream.range(0, GRAPHS)
                .forEach(
                        seed ->
                                graphs.add(
                                        RandomGraph.without(GpuSupport.refusedKinds(), seed)
                                                .graph()));
        for (IntGraph graph : graphs) {
            for (Step step : Planner.run(graph, Architecture.SM_80, BATCH).steps()) {
                files.add(step.kernel().file());
                for (Step.Way way : step.ways()) {
                    if (way.kernel().launch().scratchBytes() > 0) {
                        found.add("split");
                    }
                    way.kernel()
                            .constants()
                            .forEach((name, value) -> found.add(name + "=" + value));
                }
                for (Argument argument : step.arguments()) {
                    if (argument instanceof Argument.Arena arena && arena.slice() > 0) {
                        found.add("slice");
                    }
                }
            }
        }
        assertEquals(
                Set.of(
                        "add.cu",
                        "attention_weights.cu",
                        "channel_table.cu",
                        "dequantize.cu",
                        "depthwise.cu",
                        "elementwise.cu",
                        "grouped.cu",
                        "igemm.cu",
                        "matmul.cu",
                        "mean.cu",
                        "move.cu",
                        "normalize.cu",
                        "pool.cu",
                        "quantize.cu",
                        "rectify.cu",
                        "reorder.cu",
                        "table.cu",
                        "transpose.cu"),
                files);
        List<String> passes =
                List.of(
                        "slice",
                        "QK_RESIDUAL=1",
                        "QK_PACKED_WEIGHTS=1",
                        "QK_PITCH=4",
                        "QK_WHOLE=0",
                        "QK_MEAN=1",
                        "QK_BY_CHUNKS=0",
                        "QK_BY_CHUNKS=1",
                        "QK_PLAIN=0",
                        "split",
                        "QK_FLOAT_OUTPUT=1");
        assertEquals(List.of(), passes.stream().filter(pass -> !found.contains(pass)).toList());
    }

    private static void requireEqual(
            String graph, Map<String, Batch> expected, Map<String, Batch> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach(
                (name, batch) -> {
                    String what = graph + ", '" + name + "'";
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
