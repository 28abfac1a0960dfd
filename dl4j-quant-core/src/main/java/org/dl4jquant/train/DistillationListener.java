// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.network.LayerNames;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Asks a teacher in each iteration of a student, see {@link Distillation}. While it listens, the
 * student's loss is a {@link DistillationLoss}; {@link #close} gives the former one back.
 *
 * <p>Under DL4J's {@code ParallelWrapper}, give it to {@code wrapper.setListeners} as well: the
 * wrapper takes all other listeners off. It then teaches every replica.
 */
public final class DistillationListener extends BaseTrainingListener implements AutoCloseable {

    private final Model student;
    private final List<FeatureMatch> matches;
    private final boolean softLabels;
    private final AnswerSource teacher;

    DistillationListener(
            Model student, List<FeatureMatch> matches, boolean softLabels, AnswerSource teacher) {
        this.student = student;
        this.matches = List.copyOf(matches);
        this.softLabels = softLabels;
        this.teacher = teacher;
    }

    void listen() {
        if (student instanceof ComputationGraph graph) {
            graph.addListeners(this);
        } else {
            ((MultiLayerNetwork) student).addListeners(this);
        }
    }

    /** DL4J calls this in each iteration of a {@link MultiLayerNetwork}. */
    @Override
    public void onForwardPass(Model model, List<INDArray> activations) {
        MultiLayerNetwork network = (MultiLayerNetwork) model;
        // The output layer's mask is that of the labels.
        for (int i = 0; i < network.getnLayers() - 1; i++) {
            requireNoMask(network.getLayer(i).getMaskArray());
        }
        // The first of the activations is the input.
        hear(
                model,
                new INDArray[] {network.getInput()},
                name -> activations.get(LayerNames.of(network).indexOf(name) + 1));
    }

    /** DL4J calls this in each iteration of a {@link ComputationGraph}. */
    @Override
    public void onForwardPass(Model model, Map<String, INDArray> activations) {
        ComputationGraph graph = (ComputationGraph) model;
        INDArray[] masks = graph.getInputMaskArrays();
        for (int i = 0; masks != null && i < masks.length; i++) {
            requireNoMask(masks[i]);
        }
        hear(model, graph.getInputs(), activations::get);
    }

    private static void requireNoMask(@Nullable INDArray mask) {
        Require.state(
                mask == null,
                "the batch has a mask for its features, which a teacher would not see; distil with"
                        + " sequences of one length");
    }

    private interface Results {
        @Nullable INDArray of(String layer);
    }

    private void hear(Model model, INDArray[] inputs, Results results) {
        Detached.run(() -> loss(model).setAnswers(ask(model, inputs, results)));
    }

    private DistillationLoss.Answers ask(Model model, INDArray[] inputs, Results results) {
        List<INDArray> answers = new ArrayList<>(teacher.answer(inputs));
        INDArray logProbabilities =
                softLabels ? DistillationLoss.logProbabilities(rows(answers.remove(0))) : null;
        INDArray distances = null;
        for (int i = 0; i < matches.size(); i++) {
            INDArray more = match(model, matches.get(i), results, answers.get(i));
            distances = distances == null ? more : distances.addi(more);
        }
        return new DistillationLoss.Answers(logProbabilities, distances);
    }

    private static INDArray match(
            Model model, FeatureMatch match, Results results, INDArray wanted) {
        INDArray mine = Objects.requireNonNull(results.of(match.student()), match.student());
        FeatureMatch.Distance distance = match.distance(mine, wanted);
        Layer layer = Objects.requireNonNull(Teacher.layer(model, match.student()));
        QuantizedLayers.addToNextGradient(layer, distance.gradient());
        return distance.losses();
    }

    /* DL4J computes the loss of sequences, [examples, classes, time], with a row for each step. */
    private static INDArray rows(INDArray probabilities) {
        return probabilities.rank() == 3
                ? probabilities.permute(0, 2, 1).dup('c').reshape('c', -1, probabilities.size(1))
                : probabilities;
    }

    private static DistillationLoss loss(Model model) {
        Layer output = DistillationChecks.outputLayer(model);
        Require.state(
                QuantizedLayers.loss(output).orElse(null) instanceof DistillationLoss,
                "this listener's student no longer learns from the teacher: it was detached, or"
                        + " another distillation took its place; remove the listener, or attach it"
                        + " again");
        return (DistillationLoss) QuantizedLayers.loss(output).orElseThrow();
    }

    /** DL4J calls this when the batch's gradient and loss are known. */
    @Override
    public void onGradientCalculation(Model model) {
        loss(model).setAnswers(null);
    }

    /** DL4J calls this after each iteration. */
    @Override
    public void iterationDone(Model model, int iteration, int epoch) {}

    /** Gives the student its former loss back, takes this off its listeners, closes the cache. */
    @Override
    public void close() {
        Distillation.detachFrom(student);
        if (student instanceof ComputationGraph graph) {
            graph.setListeners(others(graph.getListeners()));
        } else {
            MultiLayerNetwork network = (MultiLayerNetwork) student;
            network.setListeners(others(network.getListeners()));
        }
        teacher.close();
    }

    @Override
    public String toString() {
        return "DistillationListener("
                + (softLabels ? "soft labels, " : "")
                + matches.size()
                + " matched layers)";
    }

    private List<TrainingListener> others(Collection<TrainingListener> all) {
        return all.stream().filter(listener -> listener != this).toList();
    }
}
