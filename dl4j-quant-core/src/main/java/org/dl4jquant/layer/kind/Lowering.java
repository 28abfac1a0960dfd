// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

/** Which configurations of a class lower to integers, in words for messages. */
enum Lowering {
    /** None of them. */
    NONE("", ""),

    /** All, or all but those with unusual options, whose refusals name the option. */
    MOST("", ""),

    /** Pools of maxima and means. */
    MAX_AND_AVERAGE(" (max, average)", ""),

    /** Pools of maxima, means and sums. */
    MAX_AVERAGE_AND_SUM(" (max, average, sum)", ""),

    /** Layers that messages count as one group, because there are many. */
    MOVES(")", "layers that only move elements (such as "),

    /** Losses without weights, which messages count as one group. */
    LOSSES(")", "losses (such as ");

    private final String after;
    private final String group;

    Lowering(String after, String group) {
        this.after = after;
        this.group = group;
    }

    /** {@return whether messages name one class for all of them} */
    boolean isGroup() {
        return !group.isEmpty();
    }

    /**
     * {@return the words for a class in a list}
     *
     * @param type the class
     */
    String words(Class<?> type) {
        return group + type.getSimpleName() + after;
    }
}
