// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.prepare.Recalibration;
import org.dl4jquant.scheme.Precision;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains a quantized network in stages of falling precision, for example half precision, then 8
 * bits, then 4, while {@code fit} stays plain.
 *
 * <pre>{@code
 * PrecisionSchedule.builder()
 *         .untilEpoch(2, Precision.FP16)
 *         .untilPlateau(2, 0.001, 8, Precision.INT8)
 *         .then(Precision.INT4)
 *         .build()
 *         .attachTo(quantized);
 * quantized.fit(train, 12);
 * }</pre>
 *
 * <p>Prepare the network for the narrowest precision of all: a stage is never coarser than what a
 * layer was prepared for, so layers with a scheme of their own (say, 8 bits for the first and the
 * last) keep it in the stages of fewer bits.
 *
 * <p>At a switch between integer widths the scales are handed over so that the values at which they
 * clip stay, {@code s2 = s1 * Q1 / Q2}, unless {@link Builder#refitWeights} or {@link
 * Builder#refit} asks for new ones. After a stage that is not integer the scales of the weights are
 * always fitted again, because the weights have moved without them. What the updater remembers of
 * the scales is reset.
 *
 * <p>The stage in force, and all that decides when it ends, is part of the network's configuration
 * and so of its model file: attach an equal schedule to a restored network, and it goes on. Epochs
 * and iterations are counted from when the schedule was first attached. DL4J counts epochs in
 * {@code fit(iterator)} only; stages by epochs or plateaus need it. DL4J's early stopping counts
 * them from 0 in each training; a schedule that goes on in such a one counts on. One schedule
 * serves one network.
 *
 * <p>Under DL4J's {@code ParallelWrapper}, give it to {@code wrapper.setListeners} as well: the
 * wrapper takes all other listeners off. Each replica then goes through the stages, in step with
 * the others. The wrapper counts no epochs there; end stages by iteration.
 */
public final class PrecisionSchedule extends BaseTrainingListener {

    private static final Logger LOG = LoggerFactory.getLogger(PrecisionSchedule.class);
    private static final String NOTES = "schedule.";
    private static final String STAGES = "schedule.stages";

    private final StagePlan plan;
    private final Consumer<Model> refit;
    private final boolean refitsBetweenIntegers;
    private WeakReference<Model> adopted = new WeakReference<>(null);
    private ScheduleState state = ScheduleState.begin(0, 0);

    private PrecisionSchedule(Builder builder) {
        this.plan = new StagePlan(builder.stages);
        this.refit = builder.refit;
        this.refitsBetweenIntegers = builder.refitsBetweenIntegers;
    }

    /** {@return a schedule without stages} */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects stages in the order in which they follow each other. */
    public static final class Builder {
        private final List<Stage> stages = new ArrayList<>();
        private Consumer<Model> refit = StageSwitch::refitWeights;
        private boolean refitsBetweenIntegers;

        private Builder() {}

        /**
         * Adds a stage.
         *
         * @param epochs it ends when so many epochs are done
         * @param precision its precision
         * @return this
         */
        public Builder untilEpoch(int epochs, Precision precision) {
            return add(precision, new StageEnd.AtEpoch(epochs));
        }

        /**
         * Adds a stage.
         *
         * @param iterations it ends when so many iterations are done
         * @param precision its precision
         * @return this
         */
        public Builder untilIteration(int iterations, Precision precision) {
            return add(precision, new StageEnd.AtIteration(iterations));
        }

        /**
         * Adds a stage that ends when the mean loss of an epoch has stopped falling.
         *
         * @param patience how many epochs in a row may bring no improvement
         * @param improvement by how much the loss must fall below the best one
         * @param latestEpoch it ends when so many epochs are done in any case
         * @param precision its precision
         * @return this
         */
        public Builder untilPlateau(
                int patience, double improvement, int latestEpoch, Precision precision) {
            return add(precision, new StageEnd.AtPlateau(patience, improvement, latestEpoch));
        }

        /**
         * Adds the last stage.
         *
         * @param precision its precision
         * @return this
         */
        public Builder then(Precision precision) {
            return add(precision, new StageEnd.Never());
        }

        /**
         * Adds the last stage, in which each layer has the formats that it was prepared for.
         *
         * @return this
         */
        public Builder thenAsPrepared() {
            stages.add(new Stage(null, new StageEnd.Never(), false));
            return this;
        }

        /**
         * Freezes the scales of the stage that was added last: they stop learning when it begins.
         *
         * @return this
         * @throws IllegalArgumentException if there is no stage yet
         */
        public Builder withFrozenScales() {
            Require.argument(
                    !stages.isEmpty(),
                    "there is no stage yet whose scales could be frozen; add one first");
            Stage last = stages.remove(stages.size() - 1);
            stages.add(new Stage(last.precision(), last.end(), true));
            return this;
        }

        /**
         * Fits the scales of the weights again at each switch to integers, by the method of each
         * layer's scheme; those of the activations keep the values at which they clip.
         *
         * @return this
         */
        public Builder refitWeights() {
            refit = StageSwitch::refitWeights;
            refitsBetweenIntegers = true;
            return this;
        }

        /**
         * Fits all scales again at each switch to integers, by the method of each layer's scheme.
         *
         * @param data a few hundred examples like those it is trained on; labels are not used
         * @return this
         */
        public Builder refit(DataSetIterator data) {
            Require.given(data, "data");
            refit = model -> StageSwitch.refit(model, data);
            refitsBetweenIntegers = true;
            return this;
        }

        /**
         * Fits all scales of a ComputationGraph again at each switch to integers, by the method of
         * each layer's scheme.
         *
         * @param data a few hundred examples like those it is trained on, resettable
         * @return this
         */
        public Builder refit(MultiDataSetIterator data) {
            Require.given(data, "data");
            refit = model -> Recalibration.of((ComputationGraph) model, data);
            refitsBetweenIntegers = true;
            return this;
        }

        private Builder add(Precision precision, StageEnd end) {
            stages.add(new Stage(Require.given(precision, "precision"), end, false));
            return this;
        }

        /**
         * {@return the schedule}
         *
         * @throws IllegalArgumentException if there are no stages, one never starts or never ends,
         *     or two overlap; the message says which
         */
        public PrecisionSchedule build() {
            return new PrecisionSchedule(this);
        }
    }

    /** {@return the stages, in order} */
    public List<Stage> stages() {
        return plan.stages();
    }

    /** {@return the number of the stage in force, from 0} */
    public int stage() {
        return state.stage();
    }

    // ---- attaching -----------------------------------------------------------------------------

    /**
     * Makes the schedule a listener of a network, the first of all, and begins with its first
     * stage, or goes on where the network's model file says.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if it has no quantized layer, trains by another schedule, or
     *     was prepared for more bits than a stage has
     */
    public void attachTo(MultiLayerNetwork network) {
        attach(network);
    }

    /**
     * Makes the schedule a listener of a network, the first of all, and begins with its first
     * stage, or goes on where the network's model file says.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if it has no quantized layer, trains by another schedule, or
     *     was prepared for more bits than a stage has
     */
    public void attachTo(ComputationGraph network) {
        attach(network);
    }

    private synchronized void attach(Model model) {
        TrainedNetwork network = new TrainedNetwork(model);
        adopt(network);
        network.listenFirst(this);
    }

    /**
     * Ends a network's schedule: it forgets it, its layers get the formats that they were prepared
     * for, and its scales learn.
     *
     * @param network a network that trains by a schedule, or has been restored from its model file
     */
    public static void finish(MultiLayerNetwork network) {
        Require.given(network, "network");
        finish((Model) network);
    }

    /**
     * Ends a network's schedule: it forgets it, its layers get the formats that they were prepared
     * for, and its scales learn.
     *
     * @param network a network that trains by a schedule, or has been restored from its model file
     */
    public static void finish(ComputationGraph network) {
        Require.given(network, "network");
        finish((Model) network);
    }

    private static void finish(Model model) {
        TrainedNetwork network = new TrainedNetwork(model);
        boolean integers = StageSwitch.trainsIntegers(network);
        StageSwitch.set(network, new Stage(null, new StageEnd.Never(), false));
        if (!integers) {
            StageSwitch.refitWeights(model);
        }
        network.removeNotes(NOTES);
        network.stopListening(PrecisionSchedule.class);
    }

    private void adopt(TrainedNetwork network) {
        new StageWidths(plan).requireReached(network);
        Map<String, String> notes = network.notes();
        String stages = plan.describe();
        boolean begun = ScheduleState.isIn(notes);
        Require.argument(
                !begun || stages.equals(notes.get(STAGES)),
                "the network trains by the schedule \"%s\", which is not this one, \"%s\"; attach"
                        + " the one that it began with, or call PrecisionSchedule.finish(network)"
                        + " first",
                String.valueOf(notes.get(STAGES)),
                stages);
        ScheduleState known = ScheduleState.fromNotes(notes, plan.stages().size());
        if (known == null) {
            state = ScheduleState.begin(network.iterations(), network.epochs());
            enter(network, true);
        } else {
            state = known;
        }
        adopted = new WeakReference<>(network.model());
        write(network);
    }

    // ---- switching -----------------------------------------------------------------------------

    private void enter(TrainedNetwork network, boolean wasInteger) {
        Stage stage = plan.stages().get(state.stage());
        StageSwitch.set(network, stage);
        boolean follows = state.stage() > 0;
        if (stage.isInteger() && follows && (refitsBetweenIntegers || !wasInteger)) {
            refit.accept(network.model());
        }
        LOG.info(
                "{} begins at iteration {}, epoch {}",
                plan.label(state.stage()),
                network.iterations() - state.firstIteration(),
                network.epochs() - state.firstEpoch());
    }

    private void proceed(TrainedNetwork network, ScheduleState next) {
        boolean switches = next.stage() != state.stage();
        boolean wasInteger = plan.stages().get(state.stage()).isInteger();
        state = next;
        if (switches) {
            enter(network, wasInteger);
        }
        write(network);
    }

    private void write(TrainedNetwork network) {
        Map<String, String> notes = new TreeMap<>(state.toNotes());
        notes.put(STAGES, plan.describe());
        network.addNotes(notes);
    }

    // ---- calls of DL4J -------------------------------------------------------------------------

    /** DL4J calls this at the start of each epoch. */
    @Override
    public synchronized void onEpochStart(Model model) {
        TrainedNetwork network = new TrainedNetwork(model);
        if (adopted.get() != model) {
            adopt(network);
        }
        state = state.startingEpoch(network.epochs());
        write(network);
    }

    /**
     * DL4J calls this after each iteration.
     *
     * @throws IllegalStateException if training began without the schedule, see {@link #attachTo}
     */
    @Override
    public synchronized void iterationDone(Model model, int iteration, int epoch) {
        TrainedNetwork network = new TrainedNetwork(model);
        if (adopted.get() != model) {
            Require.state(
                    ScheduleState.isIn(network.notes()),
                    "iteration %d was trained before the schedule was attached: outside of"
                            + " fit(iterator), DL4J tells a listener nothing before the first"
                            + " iteration; call schedule.attachTo(network) instead of setListeners",
                    iteration);
            adopt(network);
        }
        proceed(
                network,
                plan.afterIteration(
                        state.seenAt(epoch),
                        iteration + 1 - state.firstIteration(),
                        epoch - state.firstEpoch(),
                        model.score()));
    }

    /** DL4J calls this at the end of each epoch, before it counts it. */
    @Override
    public synchronized void onEpochEnd(Model model) {
        TrainedNetwork network = new TrainedNetwork(model);
        proceed(
                network,
                plan.afterEpoch(
                        state.seenAt(network.epochs() + 1),
                        network.iterations() - state.firstIteration(),
                        network.epochs() + 1 - state.firstEpoch()));
    }

    /** {@return the stages in one line} */
    @Override
    public String toString() {
        return "PrecisionSchedule(" + plan.describe() + ")";
    }
}
