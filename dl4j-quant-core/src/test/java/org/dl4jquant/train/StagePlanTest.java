// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.dl4jquant.scheme.Precision;
import org.junit.jupiter.api.Test;

class StagePlanTest {

    private static Stage stage(Precision precision, StageEnd end) {
        return new Stage(precision, end, false);
    }

    private static StageEnd epoch(int epochs) {
        return new StageEnd.AtEpoch(epochs);
    }

    private static StageEnd iteration(int iterations) {
        return new StageEnd.AtIteration(iterations);
    }

    private static final StageEnd NEVER = new StageEnd.Never();

    /** The stage of each iteration of a training of so many epochs. */
    private static List<Integer> run(StagePlan plan, int epochs, int iterationsPerEpoch) {
        List<Integer> stages = new ArrayList<>();
        ScheduleState state = ScheduleState.begin(0, 0);
        for (int epoch = 0; epoch < epochs; epoch++) {
            for (int i = 0; i < iterationsPerEpoch; i++) {
                stages.add(state.stage());
                state = plan.afterIteration(state, stages.size(), epoch, 1);
            }
            state = plan.afterEpoch(state, stages.size(), epoch + 1);
        }
        return stages;
    }

    @Test
    void epochsEndStagesWhereATableSaysSo() {
        StagePlan plan =
                new StagePlan(
                        List.of(
                                stage(Precision.FP16, epoch(1)),
                                stage(Precision.INT8, epoch(3)),
                                stage(Precision.INT4, NEVER)));
        assertEquals(List.of(0, 0, 1, 1, 1, 1, 2, 2), run(plan, 4, 2));
    }

    @Test
    void iterationsEndStagesWhereATableSaysSo() {
        StagePlan plan =
                new StagePlan(
                        List.of(
                                stage(Precision.FLOAT, iteration(1)),
                                stage(Precision.INT8, iteration(5)),
                                stage(Precision.INT4, NEVER)));
        assertEquals(List.of(0, 1, 1, 1, 1, 2, 2, 2, 2), run(plan, 3, 3));
    }

    @Test
    void bothUnitsMayFollowEachOther() {
        StagePlan plan =
                new StagePlan(
                        List.of(
                                stage(Precision.FLOAT, iteration(2)),
                                stage(Precision.INT8, epoch(2)),
                                stage(Precision.INT4, NEVER)));
        assertEquals(List.of(0, 0, 1, 1, 1, 1, 2, 2, 2), run(plan, 3, 3));
    }

    @Test
    void aPlateauEndsWhereAScoreListByHandSaysSo() {
        StagePlan plan =
                new StagePlan(
                        List.of(
                                stage(Precision.INT8, new StageEnd.AtPlateau(2, 0.1, 20)),
                                stage(Precision.INT4, NEVER)));
        // Best 1.0; 0.95 is no improvement of 0.1 (1st); 0.85 is; 0.80 (1st), 0.90 (2nd): over.
        double[] scores = {1.0, 0.95, 0.85, 0.80, 0.90, 0.10};
        int[] stageAfter = {0, 0, 0, 0, 1, 1};
        ScheduleState state = ScheduleState.begin(0, 0);
        for (int epoch = 0; epoch < scores.length; epoch++) {
            // The score of an epoch is the mean of its two iterations.
            state = plan.afterIteration(state, 2 * epoch + 1, epoch, scores[epoch] - 0.03125);
            state = plan.afterIteration(state, 2 * epoch + 2, epoch, scores[epoch] + 0.03125);
            state = plan.afterEpoch(state, 2 * epoch + 2, epoch + 1);
            assertEquals(stageAfter[epoch], state.stage(), "after epoch " + epoch);
        }
    }

    @Test
    void aPlateauThatDoesNotComeEndsAtItsLatestEpoch() {
        StagePlan plan =
                new StagePlan(
                        List.of(
                                stage(Precision.INT8, new StageEnd.AtPlateau(1, 0, 3)),
                                stage(Precision.INT4, NEVER)));
        ScheduleState state = ScheduleState.begin(0, 0);
        int[] stageAfter = {0, 0, 1};
        for (int epoch = 0; epoch < stageAfter.length; epoch++) {
            state = plan.afterIteration(state, epoch + 1, epoch, 10 - epoch);
            state = plan.afterEpoch(state, epoch + 1, epoch + 1);
            assertEquals(stageAfter[epoch], state.stage());
        }
    }

    @Property
    void stagesPartitionTheIterations(
            @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 30) Integer> ends,
            @ForAll @IntRange(min = 1, max = 6) int perEpoch,
            @ForAll boolean byEpoch) {
        List<Integer> rising = List.copyOf(new TreeSet<>(ends));
        List<Stage> stages = new ArrayList<>();
        rising.forEach(
                end -> stages.add(stage(Precision.INT8, byEpoch ? epoch(end) : iteration(end))));
        stages.add(stage(Precision.INT4, NEVER));
        List<Integer> seen = run(new StagePlan(stages), 35, perEpoch);
        int from = 0;
        for (int i = 0; i < rising.size(); i++) {
            int to = Math.min(seen.size(), rising.get(i) * (byEpoch ? perEpoch : 1));
            for (int at = from; at < to; at++) {
                assertEquals(i, seen.get(at), "iteration " + at);
            }
            from = to;
        }
        assertTrue(seen.subList(from, seen.size()).stream().allMatch(s -> s == rising.size()));
    }

    @Property
    void aStateSurvivesItsTextsExactly(
            @ForAll double best,
            @ForAll double sum,
            @ForAll @IntRange int iteration,
            @ForAll @IntRange int count) {
        ScheduleState state = new ScheduleState(1, iteration, 2, 5, best, 3, sum, count);
        assertEquals(state, ScheduleState.fromNotes(state.toNotes(), 2));
    }

    // ---- refusals -------------------------------------------------------------------------------

    private static void refuses(String message, Stage... stages) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> new StagePlan(List.of(stages)));
        assertEquals(message, refusal.getMessage());
    }

    @Test
    void refusesAScheduleWithoutStages() {
        refuses(
                "a precision schedule has no stages; add some with untilEpoch, untilIteration or"
                        + " untilPlateau, and the last one with then");
    }

    @Test
    void refusesAStageThatNeverStarts() {
        refuses(
                "stage 1 (FP16) never ends, so stage 2 (INT8) never starts; give it an end, or"
                        + " remove what follows",
                stage(Precision.FP16, NEVER),
                stage(Precision.INT8, NEVER));
    }

    @Test
    void refusesAScheduleWithoutALastStage() {
        refuses(
                "the last stage, stage 1 (INT8), ends at epoch 4, and nothing says how training"
                        + " goes on; add the last stage with then",
                stage(Precision.INT8, epoch(4)));
    }

    @Test
    void refusesStagesThatOverlap() {
        refuses(
                "stage 2 (INT8) ends at epoch 3, but stage 1 (FP16) before it ends at epoch 5: they"
                        + " overlap or are out of order; let each stage end later than the one"
                        + " before",
                stage(Precision.FP16, epoch(5)),
                stage(Precision.INT8, epoch(3)),
                stage(Precision.INT4, NEVER));
    }

    @Test
    void refusesAStageWithoutTime() {
        refuses(
                "stage 3 (INT8) ends at iteration 7, but stage 1 (FP16) before it ends at iteration"
                        + " 7: they leave the second no time; let each stage end later than the one"
                        + " before",
                stage(Precision.FP16, iteration(7)),
                stage(Precision.FP16, epoch(2)),
                stage(Precision.INT8, iteration(7)),
                stage(Precision.INT4, NEVER));
    }

    @Test
    void refusesAStageWhoseEndHasPassedWhenItWouldStart() {
        StagePlan plan =
                new StagePlan(
                        List.of(
                                stage(Precision.FP16, epoch(1)),
                                stage(Precision.INT8, iteration(4)),
                                stage(Precision.INT4, NEVER)));
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> run(plan, 2, 5));
        assertEquals(
                "stage 2 (INT8) never starts: it should end at iteration 4, but stage 1 (FP16) has"
                        + " lasted until iteration 5, epoch 1; let all stages end by epochs, or all"
                        + " by iterations",
                refusal.getMessage());
    }

    private static String refusal(Runnable end) {
        return assertThrows(IllegalArgumentException.class, end::run).getMessage();
    }

    @Test
    void refusesEndsThatAreNone() {
        assertEquals("a stage ends at epoch 0; use 1 or more epochs", refusal(() -> epoch(0)));
        assertEquals(
                "a stage ends at iteration -1; use 1 or more iterations",
                refusal(() -> iteration(-1)));
        assertEquals(
                "a stage waits 0 epochs for an improvement; use 1 or more",
                refusal(() -> new StageEnd.AtPlateau(0, 0, 1)));
        assertEquals(
                "a stage waits for an improvement of NaN; use a number that is not negative",
                refusal(() -> new StageEnd.AtPlateau(1, Double.NaN, 1)));
        assertEquals(
                "a stage that waits for a plateau ends at epoch 0 at the latest; use 1 or more"
                        + " epochs",
                refusal(() -> new StageEnd.AtPlateau(1, 0, 0)));
    }

    private static String refusal(String note, String value) {
        Map<String, String> notes = new TreeMap<>(ScheduleState.begin(5, 6).toNotes());
        notes.put(note, value);
        return assertThrows(IllegalArgumentException.class, () -> ScheduleState.fromNotes(notes, 3))
                .getMessage();
    }

    @Test
    void refusesNotesThatAreDamaged() {
        assertEquals(
                "the network's training note 'schedule.stage' is 'second', not a number: its model"
                        + " file was edited or is damaged; take an older one",
                refusal("schedule.stage", "second"));
        assertEquals(
                "the network's training note 'schedule.stage' is 3, but must be in [0, 2]: its"
                        + " model file was edited or is damaged; take an older one",
                refusal("schedule.stage", "3"));
        // 2^32 + 1 is not 1.
        for (String impossible : List.of("-1", "4294967297", "9223372036854775807")) {
            for (String note :
                    List.of(
                            "schedule.stage",
                            "schedule.firstIteration",
                            "schedule.epochsWaited",
                            "schedule.scoreCount")) {
                requireOutOfRange(note, impossible);
            }
        }
        // The first epoch lies before 0 where early stopping has counted from 0 again.
        requireOutOfRange("schedule.firstEpoch", "4294967297");
        requireOutOfRange("schedule.firstEpoch", "-2147483648");
        requireOutOfRange("schedule.epoch", "-2");
        requireOutOfRange("schedule.epoch", "4294967297");
    }

    private static void requireOutOfRange(String note, String impossible) {
        String message = refusal(note, impossible);
        assertTrue(message.contains("'" + note + "' is " + impossible + ", but must be"), message);
    }
}
