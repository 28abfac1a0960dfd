// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.List;
import java.util.stream.Collectors;
import org.dl4jquant.check.Require;

/** Checked stages, and when one follows another: a pure function of what a training has done. */
final class StagePlan {

    private final List<Stage> stages;

    /**
     * Checks the stages.
     *
     * @param stages in the order in which they follow each other
     * @throws IllegalArgumentException if there are none, one never starts or never ends, or two
     *     overlap; the message says which
     */
    StagePlan(List<Stage> stages) {
        this.stages = List.copyOf(stages);
        Require.argument(
                !stages.isEmpty(),
                "a precision schedule has no stages; add some with untilEpoch, untilIteration or"
                        + " untilPlateau, and the last one with then");
        checkEnds();
        checkOrder();
    }

    private void checkEnds() {
        for (int i = 0; i < stages.size() - 1; i++) {
            Require.argument(
                    !(stages.get(i).end() instanceof StageEnd.Never),
                    "%s never ends, so %s never starts; give it an end, or remove what follows",
                    label(i),
                    label(i + 1));
        }
        int last = stages.size() - 1;
        Require.argument(
                stages.get(last).end() instanceof StageEnd.Never,
                "the last stage, %s, ends at %s, and nothing says how training goes on; add the last"
                        + " stage with then",
                label(last),
                text(stages.get(last).end()));
    }

    /* Ends of one unit must rise; between units only training itself can tell. */
    private void checkOrder() {
        int lastEpoch = -1;
        int lastIteration = -1;
        for (int i = 0; i < stages.size(); i++) {
            StageEnd end = stages.get(i).end();
            int epoch = epoch(end);
            int iteration = end instanceof StageEnd.AtIteration at ? at.iterations() : -1;
            if (epoch >= 0) {
                requireLater(i, lastEpoch, epoch, lastEpoch < 0 ? 0 : epoch(end(lastEpoch)));
                lastEpoch = i;
            } else if (iteration >= 0) {
                int before =
                        lastIteration < 0
                                ? 0
                                : ((StageEnd.AtIteration) end(lastIteration)).iterations();
                requireLater(i, lastIteration, iteration, before);
                lastIteration = i;
            }
        }
    }

    private StageEnd end(int stage) {
        return stages.get(stage).end();
    }

    private static int epoch(StageEnd end) {
        if (end instanceof StageEnd.AtEpoch at) {
            return at.epochs();
        }
        return end instanceof StageEnd.AtPlateau plateau ? plateau.latestEpoch() : -1;
    }

    private void requireLater(int stage, int before, int end, int endBefore) {
        Require.argument(
                before < 0 || end > endBefore,
                "%s ends at %s, but %s before it ends at %s: they %s; let each stage end later than"
                        + " the one before",
                label(stage),
                text(end(stage)),
                before < 0 ? "" : label(before),
                before < 0 ? "" : text(end(before)),
                end == endBefore ? "leave the second no time" : "overlap or are out of order");
    }

    private static String text(StageEnd end) {
        if (end instanceof StageEnd.AtEpoch at) {
            return "epoch " + at.epochs();
        }
        if (end instanceof StageEnd.AtIteration at) {
            return "iteration " + at.iterations();
        }
        if (end instanceof StageEnd.AtPlateau plateau) {
            return "a plateau of "
                    + plateau.patience()
                    + " epochs within "
                    + plateau.improvement()
                    + ", epoch "
                    + plateau.latestEpoch()
                    + " at the latest";
        }
        return "no time";
    }

    /** {@return a stage's place and precision, for messages} */
    String label(int stage) {
        return "stage " + (stage + 1) + " (" + stages.get(stage).name() + ")";
    }

    List<Stage> stages() {
        return stages;
    }

    /** {@return all of it in one line, which tells schedules apart} */
    String describe() {
        return stages.stream()
                .map(
                        stage ->
                                stage.name()
                                        + (stage.frozenScales() ? " with frozen scales" : "")
                                        + (stage.end() instanceof StageEnd.Never
                                                ? ""
                                                : " until " + text(stage.end())))
                .collect(Collectors.joining(", then "));
    }

    /**
     * {@return where training stands after an iteration}
     *
     * @param state where it stood before
     * @param iterations how many iterations are done since the schedule began
     * @param epochs how many epochs are done since then
     * @param score the iteration's loss
     * @throws IllegalArgumentException if the next stage's end has passed already
     */
    ScheduleState afterIteration(ScheduleState state, int iterations, int epochs, double score) {
        return next(state.withScore(score), iterations, epochs, false);
    }

    /**
     * {@return where training stands after an epoch}
     *
     * @param state where it stood before
     * @param iterations how many iterations are done since the schedule began
     * @param epochs how many epochs are done since then, this one included
     * @throws IllegalArgumentException if the next stage's end has passed already
     */
    ScheduleState afterEpoch(ScheduleState state, int iterations, int epochs) {
        StageEnd end = end(state.stage());
        if (!(end instanceof StageEnd.AtPlateau plateau)) {
            return next(state.withoutScores(), iterations, epochs, false);
        }
        ScheduleState waited = state.withEpochScored(plateau.improvement());
        return next(waited, iterations, epochs, waited.epochsWaited() >= plateau.patience());
    }

    private ScheduleState next(ScheduleState state, int iterations, int epochs, boolean onPlateau) {
        int stage = state.stage();
        if (!onPlateau && !isOver(end(stage), iterations, epochs)) {
            return state;
        }
        Require.argument(
                !isOver(end(stage + 1), iterations, epochs),
                "%s never starts: it should end at %s, but %s has lasted until iteration %d, epoch"
                        + " %d; let all stages end by epochs, or all by iterations",
                label(stage + 1),
                text(end(stage + 1)),
                label(stage),
                iterations,
                epochs);
        return state.withStage(stage + 1);
    }

    private static boolean isOver(StageEnd end, int iterations, int epochs) {
        return end instanceof StageEnd.AtIteration at
                ? iterations >= at.iterations()
                : epoch(end) >= 0 && epochs >= epoch(end);
    }
}
