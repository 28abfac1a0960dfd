// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import org.dl4jquant.check.Require;

/**
 * When a stage of a {@link PrecisionSchedule} ends. Epochs and iterations are counted from where
 * the schedule began, which is 0.
 */
public sealed interface StageEnd {

    /**
     * Ends when so many epochs are done.
     *
     * @param epochs how many, at least 1
     */
    record AtEpoch(int epochs) implements StageEnd {
        /** Checks that the stage can last. */
        public AtEpoch {
            Require.argument(epochs >= 1, "a stage ends at epoch %d; use 1 or more epochs", epochs);
        }
    }

    /**
     * Ends when so many iterations are done.
     *
     * @param iterations how many, at least 1
     */
    record AtIteration(int iterations) implements StageEnd {
        /** Checks that the stage can last. */
        public AtIteration {
            Require.argument(
                    iterations >= 1,
                    "a stage ends at iteration %d; use 1 or more iterations",
                    iterations);
        }
    }

    /**
     * Ends when the score, the mean loss of an epoch's iterations, has stopped falling.
     *
     * @param patience how many epochs in a row may bring no improvement, at least 1; with the last
     *     of them the stage ends
     * @param improvement by how much the score must fall below the best one, at least 0
     * @param latestEpoch the stage ends when so many epochs are done in any case, at least 1
     */
    record AtPlateau(int patience, double improvement, int latestEpoch) implements StageEnd {
        /** Checks that the stage ends. */
        public AtPlateau {
            Require.argument(
                    patience >= 1,
                    "a stage waits %d epochs for an improvement; use 1 or more",
                    patience);
            Require.argument(
                    improvement >= 0 && Double.isFinite(improvement),
                    "a stage waits for an improvement of %s; use a number that is not negative",
                    improvement);
            Require.argument(
                    latestEpoch >= 1,
                    "a stage that waits for a plateau ends at epoch %d at the latest; use 1 or more"
                            + " epochs",
                    latestEpoch);
        }
    }

    /** Goes on for as long as the training does; only the last stage may. */
    record Never() implements StageEnd {}
}
