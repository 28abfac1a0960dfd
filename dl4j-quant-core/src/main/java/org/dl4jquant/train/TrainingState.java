// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.FormatVersion;

/** Reads numbers from the training notes of a model file. */
final class TrainingState {

    private TrainingState() {}

    /**
     * Requires notes of the version that this library reads; without a version they have the first.
     *
     * @param notes all notes
     * @param name the name of the version
     * @throws IllegalArgumentException if they have another one
     */
    static void requireVersion(Map<String, String> notes, String name) {
        if (notes.containsKey(name)) {
            FormatVersion.require(
                    "the network's training note '" + name + "'",
                    number(notes, name),
                    FormatVersion.FIRST);
        }
    }

    /**
     * {@return an integer}
     *
     * @param notes all notes
     * @param name its name
     * @throws IllegalArgumentException if it is missing or is none
     */
    static long number(Map<String, String> notes, String name) {
        try {
            return Long.parseLong(String.valueOf(notes.get(name)));
        } catch (NumberFormatException e) {
            throw damaged(notes, name, e);
        }
    }

    /**
     * {@return an integer of an interval}
     *
     * @param notes all notes
     * @param name its name
     * @param least the smallest that it can be
     * @param most the largest that it can be
     * @throws IllegalArgumentException if it is missing, is none, or is outside
     */
    static int integer(Map<String, String> notes, String name, int least, int most) {
        long found = number(notes, name);
        Require.argument(
                found >= least && found <= most,
                "the network's training note '%s' is %d, but must be in [%d, %d]: its model file"
                        + " was edited or is damaged; take an older one",
                name,
                found,
                least,
                most);
        return (int) found;
    }

    /**
     * {@return a number}
     *
     * @param notes all notes
     * @param name its name
     * @throws IllegalArgumentException if it is missing or is none
     */
    static double real(Map<String, String> notes, String name) {
        try {
            return Double.parseDouble(String.valueOf(notes.get(name)));
        } catch (NumberFormatException e) {
            throw damaged(notes, name, e);
        }
    }

    private static IllegalArgumentException damaged(
            Map<String, String> notes, String name, NumberFormatException cause) {
        return new IllegalArgumentException(
                "the network's training note '"
                        + name
                        + "' is '"
                        + notes.get(name)
                        + "', not a number: its model file was edited or is damaged; take an older"
                        + " one",
                cause);
    }
}
