// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayers;
import org.jspecify.annotations.Nullable;

/**
 * Trains a quantized network, the student, on what another network, the teacher, says: usually the
 * float network that it was made from.
 *
 * <pre>{@code
 * try (DistillationListener teaching =
 *         Distillation.from(trained)
 *                 .withSoftLabels(4, 0.9)
 *                 .withValues("conv1", "relu1", 0.1)
 *                 .cachedInMemory(60_000)
 *                 .attach(quantized)) {
 *     quantized.fit(train, epochs);
 * }
 * }</pre>
 *
 * <p>{@code fit} stays plain, with iterators of labelled data, and {@code score()} of an iteration
 * is the whole loss. The teacher answers in inference mode and never changes. Instances are
 * immutable.
 *
 * @see <a href="https://arxiv.org/abs/1503.02531">Hinton et al., 2015: soft labels</a>
 * @see <a href="https://arxiv.org/abs/1412.6550">Romero et al., FitNets, 2015: values of layers</a>
 * @see <a href="https://arxiv.org/abs/1612.03928">Zagoruyko and Komodakis, 2017: attention</a>
 */
public final class Distillation {

    private final Model teacher;
    private final @Nullable SoftLabels softLabels;
    private final List<FeatureMatch> matches;
    private final int examplesInMemory;
    private final @Nullable Path file;

    /** Temperature and share of the loss. */
    record SoftLabels(double temperature, double weight) {}

    private Distillation(
            Model teacher,
            @Nullable SoftLabels softLabels,
            List<FeatureMatch> matches,
            int examplesInMemory,
            @Nullable Path file) {
        this.teacher = teacher;
        this.softLabels = softLabels;
        this.matches = List.copyOf(matches);
        this.examplesInMemory = examplesInMemory;
        this.file = file;
    }

    /**
     * {@return a distillation that still needs soft labels or layers to match}
     *
     * @param teacher a trained network with the student's inputs and classes
     */
    public static Distillation from(MultiLayerNetwork teacher) {
        Require.given(teacher, "teacher");
        return new Distillation(Objects.requireNonNull(teacher), null, List.of(), 0, null);
    }

    /**
     * {@return a distillation that still needs soft labels or layers to match}
     *
     * @param teacher a trained network with the student's inputs and classes
     */
    public static Distillation from(ComputationGraph teacher) {
        Require.given(teacher, "teacher");
        return new Distillation(Objects.requireNonNull(teacher), null, List.of(), 0, null);
    }

    /**
     * {@return this with the teacher's probabilities as labels beside the given ones}
     *
     * @param temperature T: softmax(scores / T) of both networks is compared, and the loss
     *     multiplied by T squared; above 0, often 2 to 8
     * @param weight the soft labels' share of the loss, above 0, at most 1; the given labels have
     *     the rest
     */
    public Distillation withSoftLabels(double temperature, double weight) {
        Require.argument(
                temperature > 0 && Double.isFinite(temperature),
                "the temperature is %s; it must be above 0 and finite, often 2 to 8",
                temperature);
        Require.argument(
                weight > 0 && weight <= 1,
                "the soft labels' share of the loss is %s; it must be above 0 and at most 1",
                weight);
        return new Distillation(
                teacher, new SoftLabels(temperature, weight), matches, examplesInMemory, file);
    }

    /**
     * {@return this with the mean squared difference of two layers' results added to the loss}
     *
     * @param student a quantized layer of the student, not its output layer; its result is that of
     *     the last layer joined with it (batch normalization, activation)
     * @param teachersLayer the layer of the teacher whose result is like it, for example the
     *     activation layer
     * @param weight the factor of the difference, above 0
     */
    public Distillation withValues(String student, String teachersLayer, double weight) {
        return with(new FeatureMatch(student, teachersLayer, FeatureMatch.Kind.VALUES, weight));
    }

    /**
     * {@return this with half the squared distance of two layers' maps of attention added to the
     * loss: their squares summed over the channels, at length 1}
     *
     * @param student a quantized layer of the student, as in {@link #withValues}; it may have
     *     another number of channels than the teacher's
     * @param teachersLayer the layer of the teacher
     * @param weight the factor of the distance, above 0
     */
    public Distillation withAttention(String student, String teachersLayer, double weight) {
        return with(new FeatureMatch(student, teachersLayer, FeatureMatch.Kind.ATTENTION, weight));
    }

    private Distillation with(FeatureMatch match) {
        List<FeatureMatch> longer = new ArrayList<>(matches);
        longer.add(match);
        return new Distillation(teacher, softLabels, longer, examplesInMemory, file);
    }

    /**
     * {@return this, asking the teacher only once about each example}
     *
     * @param examples for how many examples answers are kept, above 0; each takes 4 bytes for each
     *     class and each value of a matched layer
     */
    public Distillation cachedInMemory(int examples) {
        Require.argument(examples > 0, "a cache for %d examples; it needs 1 at least", examples);
        return new Distillation(teacher, softLabels, matches, examples, null);
    }

    /**
     * {@return this, asking the teacher only once about each example, also over several trainings}
     *
     * @param cache a file that is made if there is none; the next training with the same teacher
     *     and the same layers uses it again
     */
    public Distillation cachedIn(Path cache) {
        return new Distillation(
                teacher, softLabels, matches, 0, Objects.requireNonNull(cache, "cache"));
    }

    /**
     * Makes a network listen to the teacher, until the result is closed.
     *
     * @param student a quantized network, initialized
     * @return the listener of the student that does it; close it when the training is over
     * @throws IllegalArgumentException if teacher and student do not fit, a layer is not there, or
     *     the cache's file holds something else; the student is unchanged then
     */
    public DistillationListener attach(MultiLayerNetwork student) {
        return attachTo(student);
    }

    /**
     * Makes a network listen to the teacher, until the result is closed.
     *
     * @param student a quantized network, initialized
     * @return the listener of the student that does it; close it when the training is over
     * @throws IllegalArgumentException as for a {@link MultiLayerNetwork}
     */
    public DistillationListener attach(ComputationGraph student) {
        return attachTo(student);
    }

    private DistillationListener attachTo(Model student) {
        detachFrom(student);
        DistillationChecks.requireFit(teacher, student, softLabels != null, matches);
        List<String> layers = new ArrayList<>();
        if (softLabels != null) {
            layers.add(Teacher.output(teacher, "teacher"));
        }
        matches.forEach(match -> layers.add(match.teacher()));
        Teacher asked = new Teacher(teacher, layers);
        DistillationListener listener =
                new DistillationListener(
                        student, matches, softLabels != null, source(asked, student, layers));
        Layer output = DistillationChecks.outputLayer(student);
        double temperature = softLabels == null ? 1 : softLabels.temperature();
        double weight = softLabels == null ? 0 : softLabels.weight();
        QuantizedLayers.setLoss(
                output,
                new DistillationLoss(
                        QuantizedLayers.loss(output).orElseThrow(), temperature, weight));
        listener.listen();
        return listener;
    }

    private AnswerSource source(Teacher asked, Model student, List<String> layers) {
        Path cache = file;
        if (cache == null && examplesInMemory == 0) {
            return asked;
        }
        DistillationChecks.requireFloat(student, teacher);
        return new CachedTeacher(
                asked,
                cache == null
                        ? AnswerCache.inMemory(examplesInMemory)
                        : AnswerFile.open(cache, DistillationChecks.digest(teacher, layers)));
    }

    /**
     * Gives a network back the loss that it had before a distillation. Only needed for a network
     * that was saved during one, and is to go on without a teacher.
     *
     * @param student the network; unchanged if it is none that listens
     */
    public static void detach(MultiLayerNetwork student) {
        Require.given(student, "student");
        detachFrom(student);
    }

    /**
     * Gives a network back the loss that it had before a distillation, as for a {@link
     * MultiLayerNetwork}.
     *
     * @param student the network; unchanged if it is none that listens
     */
    public static void detach(ComputationGraph student) {
        Require.given(student, "student");
        detachFrom(student);
    }

    static void detachFrom(Model student) {
        for (Layer layer : DistillationChecks.layersOf(student)) {
            if (QuantizedLayers.loss(layer).orElse(null) instanceof DistillationLoss ours) {
                QuantizedLayers.setLoss(layer, ours.hard());
            }
        }
    }
}
