// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.plan.Candidates;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Planner;
import org.dl4jquant.cuda.plan.Step;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.files.CheckedLine;
import org.dl4jquant.files.Mutations;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** However a batch is run, and whatever is found to be fast: the codes are the reference's. */
class TacticsTest {

    private static final int BATCH = 4;
    private static final IntGraph GRAPH = Networks.small(4);
    private static final Plan PLAN =
            Planner.run(GRAPH, Architecture.SM_90, new Candidates(List.of(BATCH, 1), 3));
    private static final EngineFile FILE =
            new EngineFile(
                    "nobody",
                    "",
                    List.of(EmulatedDriver.program(Architecture.SM_90, Program.Purpose.RUN, PLAN)));

    @TempDir private Path folder;

    private final EmulatedDriver driver = new EmulatedDriver(90);

    private EngineOnDevice open() {
        return EngineOnDevice.open(FILE, driver, 0, BATCH);
    }

    private static float[] expected(int examples) {
        try (Engine reference = Engine.open("reference", GRAPH)) {
            return logits(reference.run(Networks.inputs(GRAPH, examples)));
        }
    }

    private static float[] logits(Map<String, Batch> results) {
        return ((Batch.Floats) results.get("logits")).values();
    }

    private static void requireExact(EngineOnDevice engine, int examples) {
        assertArrayEquals(expected(examples), logits(engine.run(Networks.inputs(GRAPH, examples))));
    }

    @Test
    void thePlanHasSeveralWays() {
        assertTrue(PLAN.steps().stream().anyMatch(step -> step.ways().size() >= 3));
        assertTrue(PLAN.scratchBytes() > 0);
    }

    @Test
    void anyTacticsGiveTheSameCodes() {
        Random random = new Random(1);
        try (EngineOnDevice engine = open()) {
            for (int pass : new int[] {4, 1, 2, 3, 4, 2}) {
                List<Integer> ways =
                        PLAN.steps().stream().map(step -> way(step, pass, random)).toList();
                engine.use(BATCH, new Tactics(ways, pass, random.nextBoolean()));
                assertEquals(pass, engine.pass(BATCH));
                requireExact(engine, BATCH);
                requireExact(engine, 3); // in the same bucket, and the last pass is shorter
                requireExact(engine, 1);
            }
        }
        assertEquals("", driver.held());
    }

    private static int way(Step step, int pass, Random random) {
        int way = random.nextInt(step.ways().size());
        return step.ways().get(way).kernel().launch().mostExamples() >= pass ? way : 0;
    }

    @Test
    void smallPassesNeedLessMemory() {
        try (EngineOnDevice engine = open()) {
            requireExact(engine, BATCH);
            long whole = driver.deviceBytes();
            engine.use(BATCH, new Tactics(engine.tactics(BATCH).ways(), 1, false));
            requireExact(engine, BATCH);
            assertEquals((BATCH - 1) * PLAN.arenaBytes(), whole - driver.deviceBytes());
        }
    }

    @Test
    void kernelsOverlapOnlyIfTheyShall() {
        try (EngineOnDevice engine = open()) {
            requireExact(engine, 1);
            assertEquals(0, driver.overlapping());
            engine.use(1, new Tactics(engine.tactics(1).ways(), 1, true));
            requireExact(engine, 1);
            assertEquals(PLAN.steps().size(), driver.overlapping());
        }
    }

    @Test
    void tuningAsksTheDeviceOnce() throws IOException {
        Path file = folder.resolve("tactics.jsonl");
        try (EngineOnDevice engine = open()) {
            engine.tune(BATCH, TacticCache.of(file), Effort.of(1));
            engine.tune(1, TacticCache.of(file), Effort.of(1));
            requireExact(engine, BATCH);
            requireExact(engine, 1);
            assertEquals(PLAN.steps().size(), engine.kernels(BATCH).size());
        }
        TacticCache known = TacticCache.of(file);
        int times = known.size();
        long lines = Files.readAllLines(file).size();
        assertEquals(1 + times, lines); // and the format
        try (EngineOnDevice engine = open()) {
            int before = driver.launches();
            engine.tune(BATCH, known, Effort.of(1));
            engine.tune(1, known, Effort.of(1));
            assertEquals(before, driver.launches());
            requireExact(engine, BATCH);
        }
        assertEquals(times, known.size());
        assertEquals("", driver.held());
    }

    /* The cache says that the last way of each step is the fastest, and small passes with overlap. */
    @Test
    void theFastestByTheCacheIsChosen() throws IOException {
        Path file = folder.resolve("tactics.jsonl");
        try (EngineOnDevice engine = open()) {
            engine.tune(1, TacticCache.of(file), Effort.of(1));
        }
        String slow = unsealed(file).replaceAll("\"micros\":[0-9.E-]+", "\"micros\":9.0");
        for (Step step : PLAN.steps()) {
            Step.Way last = step.ways().get(step.ways().size() - 1);
            String code =
                    EngineFile.digest(FILE.programs().get(0).cubins().get(last.kernel().entry()));
            slow = slow.replace(code + "\",\"micros\":9.0", code + "\",\"micros\":1.0");
        }
        seal(file, slow);
        try (EngineOnDevice engine = open()) {
            engine.tune(1, TacticCache.of(file), Effort.of(1));
            for (int step = 0; step < PLAN.steps().size(); step++) {
                List<Step.Way> ways = PLAN.steps().get(step).ways();
                assertEquals(
                        ways.get(ways.size() - 1).kernel(),
                        engine.kernels(1).get(step),
                        PLAN.steps().get(step).result());
            }
            requireExact(engine, 1);
        }
    }

    private static String unsealed(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        StringBuilder all = new StringBuilder(lines.get(0));
        lines.stream()
                .skip(1)
                .map(CheckedLine::open)
                .forEach(line -> all.append('\n').append(line));
        return all.toString();
    }

    private static void seal(Path file, String text) throws IOException {
        List<String> lines = new ArrayList<>(text.lines().toList());
        for (int i = 1; i < lines.size(); i++) {
            lines.set(i, CheckedLine.seal(lines.get(i)));
        }
        Files.write(file, lines);
    }

    @Test
    void aDriverThatCannotOverlapKernelsIsTunedWithout() throws IOException {
        driver.fail("cuLaunchKernelEx");
        try (EngineOnDevice engine = open()) {
            engine.tune(1, TacticCache.inMemory(), Effort.of(1));
            assertFalse(engine.tactics(1).overlaps());
            requireExact(engine, 1);
        }
        assertEquals("", driver.held());
    }

    @Test
    void anotherGpuIsTimedAnew() throws IOException {
        TacticCache cache = TacticCache.inMemory();
        try (EngineOnDevice engine = open()) {
            engine.tune(1, cache, Effort.of(1));
        }
        int times = cache.size();
        EmulatedDriver other = new EmulatedDriver(90).named("Another GPU");
        try (EngineOnDevice engine = EngineOnDevice.open(FILE, other, 0, BATCH)) {
            engine.tune(1, cache, Effort.of(1));
        }
        assertEquals(2 * times, cache.size());
    }

    @Test
    void aLineThatWasCutOffIsForgottenAndADamagedOneIsNot() throws IOException {
        Path file = folder.resolve("tactics.jsonl");
        TacticCache.Key first = new TacticCache.Key("a \"GPU\"", 8, "code");
        TacticCache.of(file).put(first, 12.5);
        String line = Files.readString(file);
        Files.writeString(file, line + line.substring(0, 20));
        TacticCache cache = TacticCache.of(file);
        assertEquals(1, cache.size());
        cache.put(new TacticCache.Key("b", 8, "code"), 3);
        assertEquals(2, TacticCache.of(file).size());
        assertEquals(12.5, TacticCache.of(file).micros(first).orElseThrow());
        for (String damaged :
                List.of("{\"gpu\":1}", line.lines().toList().get(1).replace("12.5", "12.6"))) {
            Files.writeString(file, line + damaged + "\n");
            String refused =
                    assertThrows(IOException.class, () -> TacticCache.of(file)).getMessage();
            assertTrue(
                    refused.startsWith(
                            "line 3 of the tactic cache " + file + " is damaged (the line"),
                    refused);
            assertTrue(
                    refused.endsWith("; delete the line, or the file: it is made anew"), refused);
        }
    }

    @Test
    void noDamageOfTheFileGoesUnseen() throws IOException {
        survives(Mutations.FEW);
    }

    @Test
    @Tag("thorough")
    void noDamageOfManyOfTheFileGoesUnseen() throws IOException {
        survives(Mutations.MANY);
    }

    private void survives(int count) throws IOException {
        Path file = folder.resolve("tactics.jsonl");
        TacticCache whole = TacticCache.of(file);
        for (int i = 0; i < 20; i++) {
            whole.put(new TacticCache.Key("GPU " + i % 3, i, "code " + i), 1.25 * i + 1);
        }
        Mutations.survive(
                Files.readAllBytes(file),
                count,
                bytes -> {
                    Files.write(file, bytes);
                    TacticCache read = TacticCache.of(file);
                    int found = 0;
                    for (int i = 0; i < 20; i++) {
                        OptionalDouble micros =
                                read.micros(new TacticCache.Key("GPU " + i % 3, i, "code " + i));
                        found += micros.isPresent() ? 1 : 0;
                        if (micros.isPresent() && micros.getAsDouble() != 1.25 * i + 1) {
                            return i + " took " + micros;
                        }
                    }
                    return found == read.size() ? "" : "there are other times";
                });
    }

    @Test
    void aFileThatCannotBeWrittenDoesNotStopTheTuning() throws IOException {
        TacticCache cache = TacticCache.of(folder.resolve("none").resolve("tactics.jsonl"));
        TacticCache.Key key = new TacticCache.Key("a", 8, "code");
        cache.put(key, 3);
        cache.put(new TacticCache.Key("b", 8, "code"), 4);
        assertEquals(3, cache.micros(key).orElseThrow());
        assertEquals(2, cache.size());
    }

    @Test
    void saysWhatToDoWithTheFormerFormat() throws IOException {
        Path file = folder.resolve("tactics.jsonl");
        Files.writeString(file, "{\"gpu\":\"a\",\"examples\":8,\"code\":\"x\",\"micros\":1}\n");
        String refused = assertThrows(IOException.class, () -> TacticCache.of(file)).getMessage();
        assertTrue(refused.contains("holds something else than times of kernels"), refused);
        assertTrue(refused.endsWith("name another file, or delete it"), refused);
    }

    @Test
    void refusesBatchesThatAreNotLaunchedAtOnce() {
        try (EngineOnDevice engine = open()) {
            assertEquals(
                    "a batch of 5 examples; 1 to 4 are launched at once",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> engine.tune(5, TacticCache.inMemory()))
                            .getMessage());
        }
    }
}
