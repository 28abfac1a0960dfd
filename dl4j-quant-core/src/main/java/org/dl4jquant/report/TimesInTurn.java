// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.report;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * Times several tasks in turn, so that what else the machine does falls on all of them alike, and
 * takes the median of each.
 *
 * <p>Good for ratios of tasks of a millisecond and more in one run; for less, use JMH.
 */
public final class TimesInTurn {

    private final Map<String, Runnable> tasks = new LinkedHashMap<>();

    /**
     * Adds a task.
     *
     * @param name names it in the result
     * @param task what to time
     * @return these tasks
     * @throws IllegalArgumentException if there is a task of this name already
     */
    @CanIgnoreReturnValue
    public TimesInTurn with(String name, Runnable task) {
        Objects.requireNonNull(task, "task");
        Require.argument(!tasks.containsKey(name), "there is a task '%s' already", name);
        tasks.put(name, task);
        return this;
    }

    /**
     * Runs every task once per round, first some rounds that are not timed.
     *
     * @param warmUpRounds how many rounds only warm up, 0 or more
     * @param rounds how many rounds are timed, above 0
     * @return each task's median in nanoseconds, by name, in the order in which they were added
     */
    public Map<String, Double> medianNanos(int warmUpRounds, int rounds) {
        Require.argument(rounds > 0, "%d rounds are timed; one at least is needed", rounds);
        for (int round = 0; round < warmUpRounds; round++) {
            tasks.values().forEach(Runnable::run);
        }
        Map<String, long[]> nanos = new LinkedHashMap<>();
        tasks.keySet().forEach(name -> nanos.put(name, new long[rounds]));
        for (int round = 0; round < rounds; round++) {
            for (Map.Entry<String, Runnable> task : tasks.entrySet()) {
                long start = System.nanoTime();
                task.getValue().run();
                Objects.requireNonNull(nanos.get(task.getKey()))[round] = System.nanoTime() - start;
            }
        }
        Map<String, Double> medians = new LinkedHashMap<>();
        nanos.forEach((name, times) -> medians.put(name, median(times)));
        return medians;
    }

    /**
     * {@return the median: the middle number, or the mean of the two in the middle}
     *
     * @param numbers one at least, in any order; not changed
     */
    public static double median(long... numbers) {
        Require.argument(numbers.length > 0, "there is no median of no numbers");
        long[] sorted = numbers.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1
                ? sorted[middle]
                : (sorted[middle - 1] + sorted[middle]) / 2.0;
    }
}
