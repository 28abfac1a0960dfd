// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.stream.Stream;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Planted faults of the kernels of groups: each must show, or its absence would mean nothing. */
class GroupedMutantsTest {

    /** Convolutions that show faults; each has tails in all directions and a zero point. */
    private enum Problem {
        /** Rows and columns of a thread share those of the image. */
        PLAIN,
        /** Codes with a sign; windows begin at columns 0, 3, 6. */
        SIGNED,
        /** Neighbouring pixels are other threads'. */
        DILATED,
        /** Three filters for each channel. */
        MULTIPLIED,
        /** Rows of the kernel in turn. */
        LOOPED,
        /** Values, not codes. */
        FLOATS,
        /** Three channels and two filters in each group. */
        GROUPS;

        GroupedTrial trial() {
            return new GroupedTrial(problem(), 9);
        }

        private GroupedTrial.Case problem() {
            ImageLayout image = GemmCases.image(21, 13, 17);
            GroupedTrial.Case plain =
                    GroupedTrial.Case.depthwise(image, GemmCases.window(3, 1, 1))
                            .withInput(GemmCases.params(GemmCases.UINT8, 9))
                            .withOutput(clamped());
            return switch (this) {
                case PLAIN -> plain;
                case SIGNED ->
                        GroupedTrial.Case.depthwise(image, GemmCases.window(6, 3, 2))
                                .withInput(GemmCases.params(GemmCases.INT8, 5));
                case DILATED -> GroupedTrial.Case.depthwise(image, dilated());
                case MULTIPLIED ->
                        GroupedTrial.Case.of(image, GemmCases.window(3, 2, 1), 21, 63)
                                .withPitch(96);
                case LOOPED -> GroupedTrial.Case.depthwise(image, GemmCases.window(13, 1, 6));
                case GROUPS ->
                        GroupedTrial.Case.of(image, GemmCases.window(3, 1, 1), 7, 14)
                                .withInput(GemmCases.params(GemmCases.UINT8, 9));
                case FLOATS -> plain.withOutput(new Output.Floats());
            };
        }

        private static Output.Codes clamped() {
            return new Output.Codes(GemmCases.params(GemmCases.UINT8, 100), new CodeRange(60, 150));
        }

        private static Window dilated() {
            return new Window(
                    new Extent(3, 5),
                    new Extent(2, 3),
                    new Extent(3, 2),
                    new Extent(2, 3),
                    new Extent(4, 1));
        }
    }

    /**
     * A fault.
     *
     * @param from a piece of the source that occurs once
     * @param to what replaces it
     * @param problem what shows it
     */
    private record Mutant(String from, String to, Problem problem) {

        String edit(String source) {
            int at = source.indexOf(from);
            assertTrue(at >= 0 && source.indexOf(from, at + 1) < 0, "once: " + from);
            return source.replace(from, to);
        }
    }

    static Stream<Mutant> mutants() {
        return Stream.of(
                new Mutant(": PAD_WORD;", ": 0;", Problem.GROUPS),
                new Mutant(
                        "static_cast<u32>(column) < QK_WIDTH", "column < QK_WIDTH", Problem.GROUPS),
                new Mutant("0x01010101u * QK_PAD_CODE", "0u", Problem.PLAIN),
                new Mutant("row * QK_DILATION_HEIGHT) < QK_HEIGHT", "row) < 99", Problem.PLAIN),
                new Mutant(
                        "column * QK_DILATION_WIDTH) < QK_WIDTH",
                        "column * QK_DILATION_WIDTH) <= QK_WIDTH",
                        Problem.PLAIN),
                new Mutant(
                        "words[2], words[3], 0x5140", "words[3], words[2], 0x5140", Problem.PLAIN),
                new Mutant(
                        "high_first, high_second, 0x7632",
                        "high_first, high_second, 0x5410",
                        Problem.PLAIN),
                new Mutant("begin % 4 * 0x1111", "begin % 4 * 0x111", Problem.SIGNED),
                new Mutant("<< 8 * (begin - word)", "<< 4 * (begin - word)", Problem.PLAIN),
                new Mutant("begin % 2 + columns <= 4", "begin % 2 + columns <= 5", Problem.SIGNED),
                new Mutant("dot4<QK_IN_UNSIGNED>", "dot4<true>", Problem.SIGNED),
                new Mutant("dot4<QK_IN_UNSIGNED>", "dot4<false>", Problem.PLAIN),
                new Mutant(
                        "row - result * STEP_Y",
                        "row - result * QK_STRIDE_HEIGHT - result",
                        Problem.PLAIN),
                new Mutant("place.x + column * SPACING_X", "place.x + column", Problem.DILATED),
                new Mutant(
                        "int STEP_X = QK_STRIDE_WIDTH / common(QK_STRIDE_WIDTH, QK_DILATION_WIDTH)",
                        "int STEP_X = QK_DILATION_WIDTH",
                        Problem.DILATED),
                new Mutant(
                        "y < QK_OUT_HEIGHT && x < QK_OUT_WIDTH", "x < QK_OUT_WIDTH", Problem.PLAIN),
                new Mutant(
                        "y < QK_OUT_HEIGHT && x < QK_OUT_WIDTH",
                        "y < QK_OUT_HEIGHT",
                        Problem.PLAIN),
                new Mutant("QK_GROUP_FILTERS == 1 ? word", "true ? word", Problem.MULTIPLIED),
                new Mutant("channel / 4 * 4", "channel", Problem.MULTIPLIED),
                new Mutant("row * RUNS + run", "row / 2 * RUNS + run", Problem.LOOPED),
                new Mutant(
                        "QK_LOWEST, QK_HIGHEST, QK_ZERO",
                        "QK_LOWEST, QK_HIGHEST, 0",
                        Problem.PLAIN),
                new Mutant("QK_LOWEST, QK_HIGHEST", "QK_LOWEST, 255.0f", Problem.PLAIN),
                new Mutant("start.of[filter]", "start.of[0]", Problem.PLAIN),
                new Mutant("if (filter + i < QK_FILTERS)", "if (true)", Problem.FLOATS),
                new Mutant("static_cast<u64>(i) * PIXELS", "static_cast<u64>(i)", Problem.FLOATS),
                new Mutant("unit >= examples * UNITS", "unit > examples * UNITS", Problem.PLAIN));
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void aMutantIsSeen(Mutant mutant) {
        EmulatedKernels mutated = EmulatedKernels.available().edited(mutant::edit);
        GroupedTrial trial = mutant.problem().trial();
        assertTrue(trial.fault(mutated, kernel(trial), 0).isPresent(), mutant + " went unnoticed");
    }

    @ParameterizedTest
    @EnumSource
    void theOriginalIsWithoutFault(Problem problem) {
        GroupedTrial trial = problem.trial();
        assertEquals(
                problem == Problem.GROUPS ? "grouped.cu" : "depthwise.cu", kernel(trial).file());
        assertEquals(Optional.empty(), trial.fault(EmulatedKernels.available(), kernel(trial), 0));
    }

    /* For a batch so large that threads make many pixels each. */
    private static KernelSpec kernel(GroupedTrial trial) {
        return trial.kernel(100_000);
    }
}
