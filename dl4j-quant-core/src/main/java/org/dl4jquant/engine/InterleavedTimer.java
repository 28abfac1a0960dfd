// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.dl4jquant.check.Require;

/**
 * Times several tasks in turn, so that what else the machine does falls on all of them alike, and
 * takes the median of each.
 *
 * <p>Good for ratios of tasks of a millisecond and more in one run; for less, use JMH.
 */
public final class InterleavedTimer {

    private static final double NANOS_PER_MILLI = 1e6;

    private final Map<String, LongSupplier> tasks = new LinkedHashMap<>();

    /**
     * How long each task took.
     *
     * @param nanos each task's median in nanoseconds, by name, in the order in which they were
     *     added
     */
    public record Medians(Map<String, Double> nanos) {

        /** Copies the medians. */
        public Medians {
            nanos = Collections.unmodifiableMap(new LinkedHashMap<>(nanos));
        }

        /**
         * {@return a task's median in nanoseconds}
         *
         * @param name the task's name
         * @throws IllegalArgumentException if there was no such task
         */
        public double nanos(String name) {
            Double median = nanos.get(name);
            Require.argument(
                    median != null, "there is no task '%s'; there are %s", name, nanos.keySet());
            return Objects.requireNonNull(median);
        }

        /**
         * {@return a task's median in milliseconds}
         *
         * @param name the task's name
         * @throws IllegalArgumentException if there was no such task
         */
        public double millis(String name) {
            return nanos(name) / NANOS_PER_MILLI;
        }
    }

    /**
     * Adds a task.
     *
     * @param name names it in the result
     * @param task the task to time
     * @return these tasks
     * @throws IllegalArgumentException if there is a task of this name already
     */
    @CanIgnoreReturnValue
    public InterleavedTimer with(String name, Runnable task) {
        return withReported(
                name,
                () -> {
                    long start = System.nanoTime();
                    task.run();
                    return System.nanoTime() - start;
                });
    }

    /**
     * Adds a task that takes its time itself, such as one in another process.
     *
     * @param name names it in the result
     * @param nanos runs the task once and returns how many nanoseconds it took
     * @return these tasks
     * @throws IllegalArgumentException if there is a task of this name already
     */
    @CanIgnoreReturnValue
    public InterleavedTimer withReported(String name, LongSupplier nanos) {
        Require.argument(!tasks.containsKey(name), "there is a task '%s' already", name);
        tasks.put(name, Objects.requireNonNull(nanos, "nanos"));
        return this;
    }

    /**
     * Runs every task once per round, first some rounds that do not count.
     *
     * @param warmUpRounds how many rounds only warm up, 0 or more
     * @param rounds how many rounds count, above 0
     * @return the medians
     */
    public Medians run(int warmUpRounds, int rounds) {
        Require.argument(rounds > 0, "%d rounds are timed; one at least is needed", rounds);
        Map<String, List<Long>> nanos = new LinkedHashMap<>();
        for (int round = -warmUpRounds; round < rounds; round++) {
            for (Map.Entry<String, LongSupplier> task : tasks.entrySet()) {
                long taken = task.getValue().getAsLong();
                if (round >= 0) {
                    nanos.computeIfAbsent(task.getKey(), name -> new ArrayList<>()).add(taken);
                }
            }
        }
        Map<String, Double> medians = new LinkedHashMap<>();
        nanos.forEach(
                (name, times) ->
                        medians.put(
                                name, median(times.stream().mapToLong(Long::longValue).toArray())));
        return new Medians(medians);
    }

    /**
     * {@return the median: the middle number, or the mean of the two in the middle}
     *
     * @param numbers one at least, in any order; not changed
     */
    public static double median(long... numbers) {
        Require.given(numbers, "numbers");
        Require.argument(numbers.length > 0, "there is no median of no numbers");
        long[] sorted = numbers.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1
                ? sorted[middle]
                : (sorted[middle - 1] + sorted[middle]) / 2.0;
    }
}
