// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * Where each tensor lies in an arena that tensors share whose lives do not overlap.
 *
 * <p>Greedy by size: the largest tensor first, each at the lowest place that is free during its
 * whole life. Sizes and places are those of one example, in multiples of {@link #ALIGNMENT}, so
 * that {@code n} times each are a plan for a batch of {@code n}.
 *
 * @see <a href="https://arxiv.org/abs/2001.03288">Pisarchyk and Lee, 2020: Efficient memory
 *     management for deep neural net inference</a>
 */
public final class MemoryPlan {

    /** What places and sizes are multiples of, in bytes. */
    public static final long ALIGNMENT = 256;

    private final Map<String, Long> places;
    private final long bytes;

    private MemoryPlan(Map<String, Long> places, long bytes) {
        this.places = places;
        this.bytes = bytes;
    }

    /**
     * When a tensor is needed.
     *
     * @param tensor its name
     * @param bytes its size for one example
     * @param first the step that writes it
     * @param last the last step that reads it
     */
    public record Life(String tensor, long bytes, int first, int last) {

        /** Checks that it ends behind its beginning. */
        public Life {
            Require.argument(bytes > 0, "tensor '%s' has %d bytes", tensor, bytes);
            Require.argument(
                    last >= first,
                    "tensor '%s' is written by step %d and last read by step %d",
                    tensor,
                    first,
                    last);
        }

        private long aligned() {
            return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }

        private boolean meets(Life other) {
            return first <= other.last && other.first <= last;
        }
    }

    private record Placed(Life life, long place) {

        long end() {
            return place + life.aligned();
        }
    }

    /**
     * {@return the places of these tensors}
     *
     * @param lives one for each tensor
     */
    public static MemoryPlan of(List<Life> lives) {
        List<Life> largestFirst = new ArrayList<>(lives);
        largestFirst.sort(Comparator.comparingLong(Life::aligned).reversed());
        List<Placed> placed = new ArrayList<>();
        Map<String, Long> places = new LinkedHashMap<>();
        long bytes = 0;
        for (Life life : largestFirst) {
            Placed here = new Placed(life, lowestFree(life, placed));
            placed.add(here);
            bytes = Math.max(bytes, here.end());
            Require.argument(
                    places.put(life.tensor(), here.place()) == null,
                    "tensor '%s' has two lives",
                    life.tensor());
        }
        return new MemoryPlan(Collections.unmodifiableMap(places), bytes);
    }

    private static long lowestFree(Life life, List<Placed> placed) {
        List<Placed> inTheWay =
                placed.stream()
                        .filter(other -> other.life().meets(life))
                        .sorted(Comparator.comparingLong(Placed::place))
                        .toList();
        long place = 0;
        for (Placed other : inTheWay) {
            if (other.place() - place >= life.aligned()) {
                return place;
            }
            place = Math.max(place, other.end());
        }
        return place;
    }

    /**
     * {@return where a tensor begins, in bytes for each example of the batch}
     *
     * @param tensor its name
     * @throws IllegalArgumentException if it has no place
     */
    public long place(String tensor) {
        Long place = places.get(tensor);
        Require.argument(place != null, "tensor '%s' has no place in the arena", tensor);
        return Objects.requireNonNull(place);
    }

    /** {@return the arena's size in bytes for each example of the batch} */
    public long bytes() {
        return bytes;
    }
}
