// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.cuda.plan.MemoryPlan.Life;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class MemoryPlanTest {

    @Test
    void aChainNeedsTwoBuffers() {
        MemoryPlan plan =
                MemoryPlan.of(
                        List.of(
                                new Life("a", 1000, 0, 1),
                                new Life("b", 1000, 1, 2),
                                new Life("c", 1000, 2, 3),
                                new Life("d", 1000, 3, 4)));
        assertEquals(2048, plan.bytes());
        assertEquals(plan.place("a"), plan.place("c"));
        assertEquals(plan.place("b"), plan.place("d"));
    }

    @Test
    void aBranchKeepsItsPlaceUntilTheSum() {
        MemoryPlan plan =
                MemoryPlan.of(
                        List.of(
                                new Life("trunk", 256, 0, 3),
                                new Life("a", 256, 1, 2),
                                new Life("b", 256, 2, 3)));
        assertEquals(768, plan.bytes());
    }

    @Property(tries = 300)
    void tensorsAliveTogetherShareNoByte(@ForAll long seed, @ForAll @IntRange(max = 40) int count) {
        Random random = new Random(seed);
        List<Life> lives = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int first = random.nextInt(20);
            int last = first + random.nextInt(6);
            lives.add(new Life("t" + i, 1 + random.nextInt(5000), first, last));
        }
        MemoryPlan plan = MemoryPlan.of(lives);
        for (Life a : lives) {
            assertEquals(0, plan.place(a.tensor()) % MemoryPlan.ALIGNMENT);
            assertTrue(plan.place(a.tensor()) + a.bytes() <= plan.bytes());
            for (Life b : lives) {
                boolean together = a.first() <= b.last() && b.first() <= a.last();
                boolean apart =
                        plan.place(a.tensor()) + a.bytes() <= plan.place(b.tensor())
                                || plan.place(b.tensor()) + b.bytes() <= plan.place(a.tensor());
                assertTrue(a.equals(b) || !together || apart, () -> a + " and " + b);
            }
        }
    }

    @Test
    void refusesWhatItCannotPlace() {
        assertEquals(
                "tensor 'a' is written by step 2 and last read by step 1",
                message(() -> new Life("a", 1, 2, 1)));
        assertEquals("tensor 'a' has 0 bytes", message(() -> new Life("a", 0, 1, 1)));
        assertEquals(
                "tensor 'a' has two lives",
                message(
                        () ->
                                MemoryPlan.of(
                                        List.of(new Life("a", 1, 0, 1), new Life("a", 1, 2, 3)))));
        assertEquals(
                "tensor 'b' has no place in the arena",
                message(() -> MemoryPlan.of(List.of(new Life("a", 1, 0, 1))).place("b")));
    }

    private static String message(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }
}
