// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Chip;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.plan.Planner;
import org.dl4jquant.cuda.plan.Step;
import org.junit.jupiter.api.Test;

class LayerTableTest {

    private static final int BATCH = 256;
    private static final List<Step> STEPS =
            Planner.run(Networks.resNet18(32, 64, 10), Architecture.SM_90A, BATCH).steps();

    /* A launch that takes as long as the data sheet's bandwidth asks for has a share of 1. */
    @Test
    void saysWhatALaunchWaitsForAndHowNearItIs() {
        LayerTable table = table(Optional.of(Chip.H200));
        List<String> lines = table.lines(1000);
        assertEquals(STEPS.size() + 2, lines.size());
        String[] names = LayerTable.HEAD.split("\t", -1);
        for (String line : lines) {
            assertEquals(names.length, line.split("\t", -1).length, line);
        }
        // 3 x 32 x 32 floats in and codes of 4 channels out: 16,384 bytes.
        String[] first = lines.get(0).split("\t", -1);
        assertEquals("quantize.cu", first[3]);
        assertEquals("memory", first[7]);
        double least = BATCH * 16_384 / 4800e3;
        assertEquals(least, Double.parseDouble(first[8]), 0.01);
        assertEquals(least / 10, Double.parseDouble(first[9]), 0.01);
        assertTrue(lines.get(STEPS.size()).startsWith("net\t256\tall\tone by one\t"));
        assertTrue(lines.get(STEPS.size() + 1).startsWith("net\t256\tall\tone graph\t1000.00\t"));
    }

    @Test
    void saysNothingOfBoundsOfAChipThatIsNotKnown() {
        String[] first = table(Optional.empty()).lines(1000).get(0).split("\t", -1);
        assertEquals(List.of("", "", "", ""), List.of(first).subList(7, 11));
    }

    @Test
    void oneLaunchThatDoesNearlyAllIsTheProduct() {
        assertEquals(Optional.empty(), table(Optional.empty()).product());
        int largest = 0;
        for (int i = 0; i < STEPS.size(); i++) {
            largest =
                    table(Optional.empty()).operations(i)
                                    > table(Optional.empty()).operations(largest)
                            ? i
                            : largest;
        }
        LayerTable one =
                new LayerTable(
                        "net",
                        STEPS.subList(largest, largest + 1),
                        List.of(STEPS.get(largest).kernel()),
                        List.of(1.0),
                        1,
                        1,
                        Optional.empty());
        assertEquals(Optional.of(0), one.product());
    }

    private static LayerTable table(Optional<Chip> chip) {
        List<Double> micros = Collections.nCopies(STEPS.size(), 10.0);
        return new LayerTable("net", STEPS, kernels(), micros, BATCH, BATCH, chip);
    }

    private static List<KernelSpec> kernels() {
        return STEPS.stream().map(Step::kernel).toList();
    }

    @Test
    void aPassIsSaidAndCountedAlone() {
        List<Double> micros = Collections.nCopies(STEPS.size(), 10.0);
        LayerTable passes =
                new LayerTable("net", STEPS, kernels(), micros, 4 * BATCH, BATCH, Optional.empty());
        String whole = table(Optional.empty()).lines(50).get(0);
        assertEquals(
                whole.replace("net\t" + BATCH + "\t", "net\t" + 4 * BATCH + " by " + BATCH + "\t"),
                passes.lines(50).get(0));
    }
}
