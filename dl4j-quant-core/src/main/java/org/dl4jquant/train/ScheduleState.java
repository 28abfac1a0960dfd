// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Where a training by a {@link PrecisionSchedule} stands: all that one needs to know that goes on.
 *
 * @param stage the stage in force, from 0
 * @param firstIteration the network's iteration at which the schedule began
 * @param firstEpoch the network's epoch at which the schedule began; lower where the network's
 *     count has gone back since
 * @param epoch how many epochs the network had done when it was last seen; {@link #UNSEEN} before
 * @param best the smallest score of an epoch in this stage; infinite before there is one
 * @param epochsWaited how many epochs have passed since without an improvement
 * @param scoreSum the sum of the losses of this epoch's iterations
 * @param scoreCount how many they are
 */
record ScheduleState(
        int stage,
        int firstIteration,
        int firstEpoch,
        int epoch,
        double best,
        int epochsWaited,
        double scoreSum,
        int scoreCount) {

    /** The count of epochs of a network that has not been seen, or was saved by older versions. */
    static final int UNSEEN = -1;

    private static final String VERSION = "schedule.version";
    private static final String STAGE = "schedule.stage";
    private static final String FIRST_ITERATION = "schedule.firstIteration";
    private static final String FIRST_EPOCH = "schedule.firstEpoch";
    private static final String EPOCH = "schedule.epoch";
    private static final String BEST = "schedule.best";
    private static final String EPOCHS_WAITED = "schedule.epochsWaited";
    private static final String SCORE_SUM = "schedule.scoreSum";
    private static final String SCORE_COUNT = "schedule.scoreCount";

    /** {@return the beginning of a schedule} */
    static ScheduleState begin(int iteration, int epoch) {
        return new ScheduleState(0, iteration, epoch, UNSEEN, Double.POSITIVE_INFINITY, 0, 0, 0);
    }

    ScheduleState withStage(int newStage) {
        return new ScheduleState(
                newStage, firstIteration, firstEpoch, epoch, Double.POSITIVE_INFINITY, 0, 0, 0);
    }

    /** {@return the state of a network that has done so many epochs by its own count} */
    ScheduleState seenAt(int epochs) {
        return new ScheduleState(
                stage,
                firstIteration,
                firstEpoch,
                epochs,
                best,
                epochsWaited,
                scoreSum,
                scoreCount);
    }

    /**
     * {@return the state at the start of an epoch: DL4J's early stopping counts epochs from 0 in
     * each training, also in one that resumes another, and then the epochs of the schedule go on}
     *
     * @param epochs how many epochs the network has done by its own count
     */
    ScheduleState startingEpoch(int epochs) {
        int gone = epoch == UNSEEN ? 0 : Math.max(0, epoch - epochs);
        return new ScheduleState(
                stage,
                firstIteration,
                firstEpoch - gone,
                epochs,
                best,
                epochsWaited,
                scoreSum,
                scoreCount);
    }

    ScheduleState withScore(double score) {
        return new ScheduleState(
                stage,
                firstIteration,
                firstEpoch,
                epoch,
                best,
                epochsWaited,
                scoreSum + score,
                scoreCount + 1);
    }

    ScheduleState withoutScores() {
        return new ScheduleState(
                stage, firstIteration, firstEpoch, epoch, best, epochsWaited, 0, 0);
    }

    /** {@return the state after an epoch whose mean loss has been compared with the best one} */
    ScheduleState withEpochScored(double improvement) {
        if (scoreCount == 0) {
            return this;
        }
        double score = scoreSum / scoreCount;
        boolean better = score < best - improvement;
        return new ScheduleState(
                stage,
                firstIteration,
                firstEpoch,
                epoch,
                better ? score : best,
                better ? 0 : epochsWaited + 1,
                0,
                0);
    }

    /** {@return the state as texts, exact to the last bit} */
    Map<String, String> toNotes() {
        Map<String, String> notes = new TreeMap<>();
        notes.put(STAGE, Integer.toString(stage));
        notes.put(FIRST_ITERATION, Integer.toString(firstIteration));
        notes.put(FIRST_EPOCH, Integer.toString(firstEpoch));
        notes.put(EPOCH, Integer.toString(epoch));
        notes.put(BEST, Double.toString(best));
        notes.put(EPOCHS_WAITED, Integer.toString(epochsWaited));
        notes.put(SCORE_SUM, Double.toString(scoreSum));
        notes.put(SCORE_COUNT, Integer.toString(scoreCount));
        return notes;
    }

    /**
     * {@return whether texts hold a state, damaged or not}
     *
     * @throws IllegalArgumentException if it is of another version
     */
    static boolean isIn(Map<String, String> notes) {
        TrainingState.requireVersion(notes, VERSION);
        return notes.containsKey(STAGE);
    }

    /**
     * {@return the state that texts hold; null if they hold none}
     *
     * @param stages how many stages the schedule has
     * @throws IllegalArgumentException if a part of it is missing, is no number, or is impossible
     */
    static @Nullable ScheduleState fromNotes(Map<String, String> notes, int stages) {
        if (!isIn(notes)) {
            return null;
        }
        return new ScheduleState(
                TrainingState.integer(notes, STAGE, 0, stages - 1),
                TrainingState.integer(notes, FIRST_ITERATION, 0, Integer.MAX_VALUE),
                TrainingState.integer(notes, FIRST_EPOCH, -Integer.MAX_VALUE, Integer.MAX_VALUE),
                notes.containsKey(EPOCH)
                        ? TrainingState.integer(notes, EPOCH, UNSEEN, Integer.MAX_VALUE)
                        : UNSEEN,
                TrainingState.real(notes, BEST),
                TrainingState.integer(notes, EPOCHS_WAITED, 0, Integer.MAX_VALUE),
                TrainingState.real(notes, SCORE_SUM),
                TrainingState.integer(notes, SCORE_COUNT, 0, Integer.MAX_VALUE));
    }
}
