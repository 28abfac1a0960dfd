// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.EmulatedKernels;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Planted faults of layers that are one product: each must show. */
@Execution(ExecutionMode.CONCURRENT)
class StackMutantsTest {

    private static final int EXAMPLES = 2;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "if (column < QK_SECOND_COLUMN) | if (column <= QK_SECOND_COLUMN)",
                "if (column < QK_SECOND_COLUMN) | if (column + 16 < QK_SECOND_COLUMN)",
                "second_clamped(second), QK_SECOND_ZERO | second_clamped(second), QK_ZERO",
                "QK_SECOND_CLIPS_LOW ? | QK_CLIPS_LOW && false ?",
                "QK_SECOND_CLIPS_HIGH ? | false ?",
                "most(value, QK_SECOND_LOWEST) | most(value, QK_LOWEST)",
                "least(value, QK_SECOND_HIGHEST) | least(value, QK_HIGHEST)",
                "code_pair<QK_SECOND_PACKS, QK_SECOND_OUT | code_pair<QK_SECOND_PACKS, QK_OUT",
                "(multipliers + column_of(n)) | (multipliers + column_of(n) % QK_SECOND_COLUMN)",
                "(bias + column) | (bias + column % (QK_SECOND_COLUMN + 1 - 1))",
                "filter < QK_FILTER_PITCH && | filter < QK_SECOND_COLUMN &&"
            })
    void aMutantIsSeen(String from, String to) {
        EmulatedKernels mutated =
                EmulatedKernels.available().edited(source -> source.replace(from, to));
        assertTrue(
                shows(mutated, false, Architecture.SM_80)
                        || shows(mutated, true, Architecture.SM_90A),
                from + " went unnoticed");
    }

    @Test
    void theOriginalIsWithoutFault() {
        for (boolean packs : new boolean[] {false, true}) {
            for (Architecture architecture :
                    new Architecture[] {Architecture.SM_80, Architecture.SM_90A}) {
                assertEquals(
                        false, shows(EmulatedKernels.available(), packs, architecture), "" + packs);
            }
        }
    }

    private static boolean shows(
            EmulatedKernels kernels, boolean packs, Architecture architecture) {
        IntGraph graph = RandomPatterns.twoKinds(packs);
        Plan plan = Planner.run(graph, architecture, EXAMPLES);
        // Quantized, multiplied at once, and made to outputs.
        assertEquals(4, plan.steps().size());
        Map<String, Batch.Floats> inputs = RandomPatterns.inputs(graph, EXAMPLES);
        try (Engine reference = Engine.open("reference", graph)) {
            Map<String, Batch> expected = reference.run(inputs);
            Map<String, Batch> found = EmulatedPlan.run(kernels, plan, inputs, 0);
            return !expected.entrySet().stream()
                    .allMatch(each -> equal(each.getValue(), found.get(each.getKey())));
        } catch (AssertionError fault) {
            return true;
        }
    }

    private static boolean equal(Batch left, Batch right) {
        return Arrays.equals(((Batch.Codes) left).containers(), ((Batch.Codes) right).containers());
    }
}
