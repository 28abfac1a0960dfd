// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

final class InterleavedTimerTest {

    @Test
    void everyTaskRunsOncePerRound() {
        List<String> order = new ArrayList<>();
        InterleavedTimer.Medians medians =
                new InterleavedTimer()
                        .with("a", () -> order.add("a"))
                        .with("b", () -> order.add("b"))
                        .run(1, 2);
        assertEquals(List.of("a", "b", "a", "b", "a", "b"), order);
        assertEquals(List.of("a", "b"), List.copyOf(medians.nanos().keySet()));
    }

    @Test
    void aTaskThatTakesLongerHasTheLargerMedian() {
        InterleavedTimer.Medians medians =
                new InterleavedTimer()
                        .with("waits", () -> LockSupport.parkNanos(5_000_000))
                        .with("does nothing", () -> {})
                        .run(0, 5);
        assertTrue(medians.nanos("waits") > medians.nanos("does nothing"), medians.toString());
    }

    @Test
    void aTaskMayTakeItsTimeItself() {
        Iterator<Long> nanos = List.of(99_000_000L, 7_000_000L, 1_000_000L, 2_000_000L).iterator();
        InterleavedTimer.Medians medians =
                new InterleavedTimer().withReported("elsewhere", nanos::next).run(1, 3);
        assertEquals(2_000_000, medians.nanos("elsewhere"));
        assertEquals(2, medians.millis("elsewhere"));
        refuses("there is no task 'here'; there are [elsewhere]", () -> medians.nanos("here"));
    }

    @Test
    void theMedianIsTheMiddleOrTheMeanOfTheMiddleTwo() {
        assertEquals(5, InterleavedTimer.median(9, 5, 1));
        assertEquals(3.5, InterleavedTimer.median(9, 5, 1, 2));
    }

    @Property
    void theMedianLiesBetweenTheExtremes(@ForAll @Size(min = 1, max = 9) int[] numbers) {
        long[] longs = Arrays.stream(numbers).asLongStream().toArray();
        double median = InterleavedTimer.median(longs);
        assertTrue(
                Arrays.stream(longs).filter(number -> number <= median).count() * 2
                        >= longs.length);
        assertTrue(
                Arrays.stream(longs).filter(number -> number >= median).count() * 2
                        >= longs.length);
    }

    @Test
    void refusesWhatCannotBeTimed() {
        InterleavedTimer one = new InterleavedTimer().with("a", () -> {});
        refuses("there is a task 'a' already", () -> one.with("a", () -> {}));
        refuses("0 rounds are timed; one at least is needed", () -> one.run(1, 0));
        refuses("there is no median of no numbers", InterleavedTimer::median);
    }

    private static void refuses(String message, org.junit.jupiter.api.function.Executable what) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, what).getMessage());
    }
}
