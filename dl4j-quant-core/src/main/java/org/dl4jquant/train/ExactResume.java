// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.io.File;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.WholeFile;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Makes a training that was stopped, or killed, go on as if it had not been: parameters, scales,
 * updater, schedule and random numbers are the same to the last bit.
 *
 * <pre>{@code
 * ExactResume.save(quantized, file);                                   // and later, in another process
 * MultiLayerNetwork restored = ExactResume.restoreMultiLayerNetwork(file);
 * schedule.attachTo(restored);
 * restored.fit(train, remainingEpochs);
 * }</pre>
 *
 * <p>DL4J's model file has parameters, updater and configuration. What it lacks is in the
 * configuration's training notes: the state of ND4J's random numbers, which dropout draws from, and
 * the counts of iterations and epochs where DL4J's own are too low (a listener such as {@code
 * CheckpointListener} saves before they are raised). For files that other listeners write, {@link
 * #attachTo} keeps the notes up to date; {@link #restored} then takes the place of the restoring
 * methods.
 *
 * <p>Not restored is what is outside of the network: an iterator's own order of the data. It must
 * depend on the epoch only, not on a generator that lives as long as the process ({@code
 * DataSet.shuffle()} without a seed never repeats itself), and a file that was saved in the middle
 * of an epoch goes on with the first batch that {@code fit} is given. The state of the random
 * numbers is that of the thread that trains. Results are the same for the same machine, ND4J binary
 * and number of threads.
 */
public final class ExactResume extends BaseTrainingListener {

    private static final String VERSION = "resume.version";
    private static final String ROOT = "resume.randomRoot";
    private static final String NODE = "resume.randomNode";
    private static final String ITERATIONS = "resume.iterations";
    private static final String EPOCHS = "resume.epochs";

    private ExactResume() {}

    /**
     * Keeps the notes up to date while a network trains, for model files that other listeners
     * write. It stands before all other listeners.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if it has no quantized layer
     */
    public static void attachTo(MultiLayerNetwork network) {
        Require.given(network, "network");
        new TrainedNetwork(network).listenFirst(new ExactResume());
    }

    /**
     * Keeps the notes up to date while a network trains, for model files that other listeners
     * write. It stands before all other listeners.
     *
     * @param network a network from {@code prepare}
     * @throws IllegalArgumentException if it has no quantized layer
     */
    public static void attachTo(ComputationGraph network) {
        Require.given(network, "network");
        new TrainedNetwork(network).listenFirst(new ExactResume());
    }

    // ---- saving --------------------------------------------------------------------------------

    /**
     * Saves a network between two calls of {@code fit}, updater included. The file is complete or
     * not there at all: a process that is killed meanwhile leaves the former one as it was.
     *
     * @param network a network from {@code prepare}
     * @param file an ordinary DL4J model file, replaced if it exists
     * @throws IOException if it cannot be written
     */
    public static void save(MultiLayerNetwork network, File file) throws IOException {
        Require.given(network, "network");
        Require.given(file, "file");
        saveModel(network, file);
    }

    /**
     * Saves a network between two calls of {@code fit}, updater included. The file is complete or
     * not there at all: a process that is killed meanwhile leaves the former one as it was.
     *
     * @param network a network from {@code prepare}
     * @param file an ordinary DL4J model file, replaced if it exists
     * @throws IOException if it cannot be written
     */
    public static void save(ComputationGraph network, File file) throws IOException {
        Require.given(network, "network");
        Require.given(file, "file");
        saveModel(network, file);
    }

    private static void saveModel(Model model, File file) throws IOException {
        TrainedNetwork network = new TrainedNetwork(model);
        note(network, network.iterations(), network.epochs());
        WholeFile.write(file.toPath(), out -> ModelSerializer.writeModel(model, out, true));
    }

    private static void note(TrainedNetwork network, int iterations, int epochs) {
        Random random = Nd4j.getRandom();
        Map<String, String> notes = new TreeMap<>();
        notes.put(ROOT, Long.toString(random.rootState()));
        notes.put(NODE, Long.toString(random.nodeState()));
        notes.put(ITERATIONS, Integer.toString(iterations));
        notes.put(EPOCHS, Integer.toString(epochs));
        network.addNotes(notes);
    }

    // ---- restoring -----------------------------------------------------------------------------

    /**
     * {@return the network of a model file, ready to train on in this thread}
     *
     * @param file a file from {@link #save} or ModelSerializer
     * @throws IOException if it cannot be read, {@link SafeModels#standard} refuses it, its notes
     *     are damaged, or it has no quantized layer
     */
    public static MultiLayerNetwork restoreMultiLayerNetwork(File file) throws IOException {
        Require.given(file, "file");
        return restoreMultiLayerNetwork(file, SafeModels.standard());
    }

    /**
     * {@return the network of a model file, ready to train on in this thread}
     *
     * @param file a file from {@link #save} or ModelSerializer
     * @param models opens it; says which classes of one's own it may name
     * @throws IOException if it cannot be read, is refused, its notes are damaged, or it has no
     *     quantized layer
     */
    public static MultiLayerNetwork restoreMultiLayerNetwork(File file, SafeModels models)
            throws IOException {
        Require.given(file, "file");
        Require.given(models, "models");
        MultiLayerNetwork network = models.restoreMultiLayerNetwork(file, true);
        try {
            restored(network);
        } catch (IllegalArgumentException e) {
            throw unresumable(file, e);
        }
        return network;
    }

    /**
     * {@return the network of a model file, ready to train on in this thread}
     *
     * @param file a file from {@link #save} or ModelSerializer
     * @throws IOException if it cannot be read, {@link SafeModels#standard} refuses it, its notes
     *     are damaged, or it has no quantized layer
     */
    public static ComputationGraph restoreComputationGraph(File file) throws IOException {
        Require.given(file, "file");
        return restoreComputationGraph(file, SafeModels.standard());
    }

    /**
     * {@return the network of a model file, ready to train on in this thread}
     *
     * @param file a file from {@link #save} or ModelSerializer
     * @param models opens it; says which classes of one's own it may name
     * @throws IOException if it cannot be read, is refused, its notes are damaged, or it has no
     *     quantized layer
     */
    public static ComputationGraph restoreComputationGraph(File file, SafeModels models)
            throws IOException {
        Require.given(file, "file");
        Require.given(models, "models");
        ComputationGraph network = models.restoreComputationGraph(file, true);
        try {
            restored(network);
        } catch (IllegalArgumentException e) {
            throw unresumable(file, e);
        }
        return network;
    }

    private static IOException unresumable(File file, IllegalArgumentException cause) {
        return new IOException("cannot resume from " + file + ": " + cause.getMessage(), cause);
    }

    /**
     * Sets ND4J's random numbers, and the network's counts, to what its notes say; does nothing
     * without notes.
     *
     * @param network a network that was restored by other means
     * @throws IllegalArgumentException if it has no quantized layer, or its notes are damaged
     */
    public static void restored(MultiLayerNetwork network) {
        Require.given(network, "network");
        restore(new TrainedNetwork(network));
    }

    /**
     * Sets ND4J's random numbers, and the network's counts, to what its notes say; does nothing
     * without notes.
     *
     * @param network a network that was restored by other means
     * @throws IllegalArgumentException if it has no quantized layer, or its notes are damaged
     */
    public static void restored(ComputationGraph network) {
        Require.given(network, "network");
        restore(new TrainedNetwork(network));
    }

    private static void restore(TrainedNetwork network) {
        Map<String, String> notes = network.notes();
        if (!notes.containsKey(ROOT)) {
            return;
        }
        TrainingState.requireVersion(notes, VERSION);
        int iterations = TrainingState.integer(notes, ITERATIONS, 0, Integer.MAX_VALUE);
        int epochs = TrainingState.integer(notes, EPOCHS, 0, Integer.MAX_VALUE);
        if (iterations > network.iterations()) {
            // The file was written before DL4J applied the last iteration's constraints.
            for (Layer layer : network.layers()) {
                layer.applyConstraints(network.iterations(), network.epochs());
            }
        }
        network.setCounts(iterations, epochs);
        Nd4j.getRandom()
                .setStates(TrainingState.number(notes, ROOT), TrainingState.number(notes, NODE));
    }

    // ---- what DL4J calls -----------------------------------------------------------------------

    /** DL4J calls this after each iteration, before it counts it. */
    @Override
    public void iterationDone(Model model, int iteration, int epoch) {
        note(new TrainedNetwork(model), iteration + 1, epoch);
    }

    /** DL4J calls this at the end of each epoch, before it counts it. */
    @Override
    public void onEpochEnd(Model model) {
        TrainedNetwork network = new TrainedNetwork(model);
        note(network, network.iterations(), network.epochs() + 1);
    }
}
