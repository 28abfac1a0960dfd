// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.EmulatedKernels;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Faults in the kernels of single elements and of windows, each of which small graphs show. */
class PlanMutantsTest {

    private static final int GRAPHS = 4;
    private static final int BATCH = 3;

    /**
     * A fault.
     *
     * @param from a piece of one kernel's source
     * @param to what replaces it
     */
    private record Mutant(String from, String to) {

        String edit(String source) {
            return source.replace(from, to);
        }
    }

    static Stream<Mutant> mutants() {
        return Stream.of(
                new Mutant("divide(value, QK_SCALE)", "multiply(value, 1.0f / QK_SCALE)"),
                new Mutant("QK_CHANNELS + channel) * QK_PIXELS", "QK_CHANNELS) * QK_PIXELS"),
                new Mutant("QK_LOWEST, QK_HIGHEST, QK_ZERO)", "QK_LOWEST, QK_HIGHEST, 0)"),
                new Mutant(
                        "code_at<QK_UNSIGNED>(word, i) - QK_ZERO",
                        "code_at<true>(word, i) - QK_ZERO"),
                new Mutant("unit % UNITS / QK_PIXELS * 4", "unit % UNITS / QK_PIXELS * 8"),
                new Mutant("index / QK_FROM_PIXELS)", "index % QK_FROM_PITCH)"),
                new Mutant(
                        "(channel + i) * QK_TO_PIXELS + pixel)",
                        "pixel * QK_TO_CHANNELS + channel + i)"),
                new Mutant("i < first + 16 && i < ELEMENTS", "i < first + 16"),
                new Mutant("    sync_threads();\n    u32 unit", "    u32 unit"),
                new Mutant("if (QK_WHOLE) {", "if (true) {"),
                new Mutant(
                        "sum_codes(left_codes, right_codes)", "sum_codes(right_codes, left_codes)"),
                new Mutant("static_cast<u32>(y) >= QK_HEIGHT", "static_cast<u32>(y) > QK_HEIGHT"),
                new Mutant("static_cast<u32>(x) < QK_WIDTH", "x < QK_WIDTH"),
                new Mutant("QK_OUT_SCALE), QK_OUT_ZERO)", "QK_OUT_SCALE), 0.0f)"),
                new Mutant("QK_COUNT_PADDING ? ", "true ? "),
                new Mutant("constexpr s32 LEAST = -256;", "constexpr s32 LEAST = 0;"),
                new Mutant(
                        "code_at<QK_UNSIGNED>(word, i) - QK_IN_ZERO;",
                        "code_at<QK_UNSIGNED>(word, i);"),
                new Mutant("pixel < QK_PIXELS; pixel++", "pixel + 1 < QK_PIXELS; pixel++"),
                new Mutant("real / QK_GROUP_FILTERS", "real / QK_GROUP_CHANNELS"),
                new Mutant("code_at<false>(weights", "code_at<true>(weights"),
                new Mutant("* QK_GROUP_CHANNELS * QK_FILTER_PITCH", "* QK_FILTER_PITCH"),
                new Mutant("bias + filter + i", "bias + filter"),
                new Mutant("zero = zero || added < 0;", "zero = added < 0;"),
                new Mutant("table + START + index", "table + index"),
                new Mutant("source += index * STRIDE;", "source += index;"),
                new Mutant("element /= SIZE;", "element /= SIZE + 1;"),
                new Mutant("u32 code = QK_ZERO;", "u32 code = 0;"),
                new Mutant("Chunk codes = {ZEROS, ZEROS,", "Chunk codes = {ZEROS, 0,"),
                new Mutant("if (QK_BY_CHUNKS) {", "if (true) {"),
                new Mutant(
                        "element % QK_FROM_PIXELS) * QK_FROM_PITCH + element / QK_FROM_PIXELS",
                        "element / QK_FROM_PIXELS) * QK_FROM_PITCH + element % QK_FROM_PIXELS"));
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void aMutantIsSeen(Mutant mutant) {
        EmulatedKernels mutated = EmulatedKernels.available().edited(mutant::edit);
        boolean seen =
                PlanCases.all().stream()
                                .anyMatch(graph -> shows(mutated, graph, PlanCases.inputs(), 0))
                        || LongStream.range(0, GRAPHS).anyMatch(seed -> shows(mutated, seed));
        assertTrue(seen, mutant + " went unnoticed");
    }

    private static boolean shows(EmulatedKernels mutated, long seed) {
        RandomGraph random = RandomGraph.without(GpuSupport.refusedKinds(), seed);
        return shows(mutated, random.graph(), random.inputs(BATCH), seed);
    }

    private static boolean shows(
            EmulatedKernels mutated,
            IntGraph graph,
            Map<String, Batch.Floats> inputs,
            long schedule) {
        Plan plan = Planner.run(graph, Architecture.SM_80, BATCH);
        try (Engine reference = Engine.open("reference", graph)) {
            Map<String, Batch> expected = reference.run(inputs);
            Map<String, Batch> found = EmulatedPlan.run(mutated, plan, inputs, schedule);
            return !expected.entrySet().stream()
                    .allMatch(each -> equal(each.getValue(), found.get(each.getKey())));
        } catch (AssertionError fault) {
            return true;
        }
    }

    private static boolean equal(Batch left, Batch right) {
        return left instanceof Batch.Codes codes
                ? Arrays.equals(codes.containers(), ((Batch.Codes) right).containers())
                : Arrays.equals(((Batch.Floats) left).values(), ((Batch.Floats) right).values());
    }
}
