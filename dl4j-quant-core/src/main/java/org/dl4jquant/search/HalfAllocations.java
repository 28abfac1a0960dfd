// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All allocations of some of the groups that may be part of a good one, sorted by their costs. If
 * there are too many, those that are priced lowest.
 */
final class HalfAllocations {

    /* An allocation is compared with so many before it. In the order of the costs an equal one is
     * the last, and better ones are not far; to find all of them takes longer than it saves. */
    private static final int NEIGHBOURS = 8;

    private final int budgets;

    /* For each allocation its costs, its loss, and by how much it is priced above the cheapest. */
    private double[] rows;
    private int size = 1;
    private final List<Step> steps = new ArrayList<>();
    private double proven;

    /** Which shorter allocation and which choice of a group make each allocation. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Step(int group, int[] parents, int[] choices) {}

    /**
     * Of no group.
     *
     * @param budgets how many
     * @param gap allocations with a higher excess are of no use
     */
    HalfAllocations(int budgets, double gap) {
        this.budgets = budgets;
        rows = new double[width()];
        proven = gap;
    }

    private int width() {
        return budgets + 2;
    }

    int size() {
        return size;
    }

    /** {@return the excess below which no allocation was left out} */
    double proven() {
        return proven;
    }

    double cost(int allocation, int budget) {
        return rows[allocation * width() + budget];
    }

    double loss(int allocation) {
        return rows[allocation * width() + budgets];
    }

    /** Writes the choices of an allocation into those of all groups. */
    void choose(int allocation, int[] chosen) {
        int at = allocation;
        for (int i = steps.size() - 1; i >= 0; i--) {
            Step step = steps.get(i);
            chosen[step.group()] = step.choices()[at];
            at = step.parents()[at];
        }
    }

    /**
     * Adds a group: each allocation with each choice.
     *
     * @param group which
     * @param choices the costs, the loss and the excess of each of its choices
     * @param room the highest cost that this half's allocations may have
     * @param most how many allocations to keep at most
     */
    void extend(int group, double[][] choices, double[] room, int most) {
        Growing growing = new Growing(size * choices.length);
        int[] next = new int[choices.length];
        double[] row = new double[width()];
        while (true) {
            int choice = first(choices, next);
            if (choice < 0) {
                break;
            }
            int from = next[choice]++ * width();
            for (int i = 0; i < row.length; i++) {
                row[i] = rows[from + i] + choices[choice][i];
            }
            if (row[budgets + 1] <= proven && fits(row, room) && !growing.isBeaten(row)) {
                growing.add(row, from / width(), choice);
            }
        }
        if (growing.count > most) {
            growing.keepLowest(most);
        }
        rows = growing.all;
        size = growing.count;
        steps.add(
                new Step(
                        group,
                        Arrays.copyOf(growing.parents, size),
                        Arrays.copyOf(growing.chosen, size)));
    }

    private boolean fits(double[] row, double[] room) {
        for (int budget = 0; budget < budgets; budget++) {
            if (row[budget] > room[budget]) {
                return false;
            }
        }
        return true;
    }

    /* Which choice makes the next allocation in the order of the costs; -1 if there is none. */
    private int first(double[][] choices, int[] next) {
        int first = -1;
        for (int choice = 0; choice < choices.length; choice++) {
            if (next[choice] < size
                    && (first < 0
                            || isBefore(
                                    next[choice], choices[choice], next[first], choices[first]))) {
                first = choice;
            }
        }
        return first;
    }

    private boolean isBefore(int one, double[] choice, int other, double[] otherChoice) {
        for (int i = 0; i < width(); i++) {
            double mine = rows[one * width() + i] + choice[i];
            double theirs = rows[other * width() + i] + otherChoice[i];
            if (mine != theirs) {
                return mine < theirs;
            }
        }
        return false;
    }

    /** The longer allocations. */
    private final class Growing {
        private double[] all;
        private int[] parents;
        private int[] chosen;
        private int count;

        Growing(int capacity) {
            all = new double[capacity * width()];
            parents = new int[capacity];
            chosen = new int[capacity];
        }

        void add(double[] row, int parent, int choice) {
            System.arraycopy(row, 0, all, count * width(), width());
            parents[count] = parent;
            chosen[count] = choice;
            count++;
        }

        /* By one that is nowhere higher. */
        boolean isBeaten(double[] row) {
            for (int i = count - 1; i >= Math.max(0, count - NEIGHBOURS); i--) {
                if (isNowhereHigher(i * width(), row)) {
                    return true;
                }
            }
            return false;
        }

        private boolean isNowhereHigher(int at, double[] row) {
            for (int i = 0; i <= budgets; i++) {
                if (all[at + i] > row[i]) {
                    return false;
                }
            }
            return true;
        }

        /* Those with the lowest excess; of those with the highest of these some, evenly. */
        void keepLowest(int most) {
            double[] excess = new double[count];
            Arrays.setAll(excess, i -> all[i * width() + budgets + 1]);
            double[] sorted = excess.clone();
            Arrays.sort(sorted);
            proven = sorted[most];
            int below = 0;
            int equal = 0;
            for (double each : sorted) {
                below += each < proven ? 1 : 0;
                equal += each == proven ? 1 : 0;
            }
            long wanted = (long) most - below;
            long seen = 0;
            int kept = 0;
            for (int i = 0; i < count; i++) {
                boolean keeps = excess[i] < proven;
                if (excess[i] == proven) {
                    keeps = (seen + 1) * wanted / equal > seen * wanted / equal;
                    seen++;
                }
                if (keeps) {
                    move(i, kept++);
                }
            }
            count = kept;
        }

        private void move(int from, int to) {
            System.arraycopy(all, from * width(), all, to * width(), width());
            parents[to] = parents[from];
            chosen[to] = chosen[from];
        }
    }
}
