// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.StrictScalars;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossUtil;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * The loss of a student: of an example {@code (1 - weight) * hard + weight * T^2 * KL(teacher at T,
 * student at T)}, and the distances between matched layers.
 *
 * <p>{@link Distillation} puts it into the student, and the teacher's answers into it before each
 * step. Where there are none, as in {@code score(DataSet)} or early stopping's score, the loss is
 * the hard one alone. Its name and fields stand in model files that are saved during a
 * distillation; such a network does not train before {@link Distillation#attach} or {@link
 * Distillation#detach} was called.
 *
 * @see <a href="https://arxiv.org/abs/1503.02531">Hinton et al., Distilling the Knowledge in a
 *     Neural Network, 2015</a>
 */
public final class DistillationLoss implements ILossFunction {

    private static final long serialVersionUID = 1L;

    /* The least probability of a teacher in float32: at T = 1 such a class is 1e-38 likely anyway. */
    private static final double LEAST_PROBABILITY = Float.MIN_NORMAL;

    /**
     * What a teacher said about the batch that is being trained with.
     *
     * @param logProbabilities logarithms of the teacher's probabilities, [rows, classes]; null
     *     without soft labels
     * @param distances the loss of the matched layers for each example; null without
     */
    record Answers(@Nullable INDArray logProbabilities, @Nullable INDArray distances) {}

    private final ILossFunction hard;
    private final double temperature;
    private final double weight;

    /* Replicas of a network share its loss function, and each trains in a thread of its own. */
    private transient @Nullable ThreadLocal<@Nullable Answers> answers;

    @JsonCreator
    DistillationLoss(
            @JsonProperty("hard") ILossFunction hard,
            @JsonProperty("temperature") @JsonDeserialize(using = StrictScalars.OfDouble.class)
                    double temperature,
            @JsonProperty("weight") @JsonDeserialize(using = StrictScalars.OfDouble.class)
                    double weight) {
        this.hard = Objects.requireNonNull(hard, "hard");
        this.temperature = temperature;
        this.weight = weight;
    }

    /** {@return the loss against the labels, which the student had before} */
    @JsonProperty("hard")
    public ILossFunction hard() {
        return hard;
    }

    /** {@return T, which softens the teacher's and the student's probabilities} */
    @JsonProperty("temperature")
    public double temperature() {
        return temperature;
    }

    /** {@return the share of the soft labels in the loss, 0 to 1} */
    @JsonProperty("weight")
    public double weight() {
        return weight;
    }

    private synchronized ThreadLocal<@Nullable Answers> slot() {
        ThreadLocal<@Nullable Answers> slot = answers;
        if (slot == null) {
            slot = new ThreadLocal<>();
            answers = slot;
        }
        return slot;
    }

    void setAnswers(@Nullable Answers given) {
        if (given == null) {
            slot().remove();
        } else {
            slot().set(given);
        }
    }

    static INDArray logProbabilities(INDArray probabilities) {
        return Transforms.log(Transforms.max(probabilities, LEAST_PROBABILITY), false);
    }

    @Override
    public double computeScore(
            INDArray labels,
            INDArray preOutput,
            IActivation activationFn,
            @Nullable INDArray mask,
            boolean average) {
        Answers given = slot().get();
        if (given == null) {
            return hard.computeScore(labels, preOutput, activationFn, mask, average);
        }
        double sum = 0;
        if (hardShare(given) > 0) {
            sum =
                    hardShare(given)
                            * hard.computeScore(labels, preOutput, activationFn, mask, false);
        }
        INDArray soft = softScores(given, preOutput, mask);
        if (soft != null) {
            sum += soft.sumNumber().doubleValue();
        }
        if (given.distances() != null) {
            sum += given.distances().sumNumber().doubleValue();
        }
        return average ? sum / labels.size(0) : sum;
    }

    @Override
    public INDArray computeScoreArray(
            INDArray labels,
            INDArray preOutput,
            IActivation activationFn,
            @Nullable INDArray mask) {
        // One number per example: only score(DataSet) asks for it, where no teacher is heard.
        return hard.computeScoreArray(labels, preOutput, activationFn, mask);
    }

    @Override
    public INDArray computeGradient(
            INDArray labels,
            INDArray preOutput,
            IActivation activationFn,
            @Nullable INDArray mask) {
        Answers given = slot().get();
        Require.state(
                given != null,
                "the network is a student without its teacher: its listeners were replaced (add"
                        + " listeners before attaching), or it was saved during a distillation; call"
                        + " Distillation.attach to go on, or Distillation.detach to train on labels"
                        + " alone");
        Answers heard = Objects.requireNonNull(given);
        double share = hardShare(heard);
        INDArray gradient = hard.computeGradient(labels, preOutput, activationFn, mask);
        if (share < 1) {
            gradient.muli(share);
        }
        INDArray wanted = heard.logProbabilities();
        if (wanted != null) {
            INDArray soft =
                    Transforms.exp(logSoftmax(preOutput), false)
                            .subi(Transforms.exp(softened(wanted, preOutput), false))
                            .muli(weight * temperature);
            if (mask != null) {
                LossUtil.applyMask(soft, mask);
            }
            gradient.addi(soft);
        }
        return gradient;
    }

    @Override
    public Pair<Double, INDArray> computeGradientAndScore(
            INDArray labels,
            INDArray preOutput,
            IActivation activationFn,
            @Nullable INDArray mask,
            boolean average) {
        return new Pair<>(
                computeScore(labels, preOutput, activationFn, mask, average),
                computeGradient(labels, preOutput, activationFn, mask));
    }

    @Override
    public String name() {
        return toString();
    }

    private double hardShare(Answers given) {
        return given.logProbabilities() == null ? 1 : 1 - weight;
    }

    /* weight T^2 sum p (log p - log q), for each row and class. */
    private @Nullable INDArray softScores(
            Answers given, INDArray preOutput, @Nullable INDArray mask) {
        INDArray wanted = given.logProbabilities();
        if (wanted == null) {
            return null;
        }
        INDArray logP = softened(wanted, preOutput);
        INDArray scores =
                Transforms.exp(logP, true)
                        .muli(logP.sub(logSoftmax(preOutput)))
                        .muli(weight * temperature * temperature);
        if (mask != null) {
            LossUtil.applyMask(scores, mask);
        }
        return scores;
    }

    private INDArray softened(INDArray logProbabilities, INDArray preOutput) {
        return logSoftmax(logProbabilities.castTo(preOutput.dataType()));
    }

    /* Logarithms of the softmax of each row at the temperature. */
    private INDArray logSoftmax(INDArray rows) {
        INDArray scaled = rows.div(temperature);
        INDArray shifted = scaled.subiColumnVector(scaled.max(true, 1));
        INDArray sums = Transforms.exp(shifted, true).sum(true, 1);
        return shifted.subiColumnVector(Transforms.log(sums, false));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof DistillationLoss that
                && hard.equals(that.hard)
                && temperature == that.temperature
                && weight == that.weight;
    }

    @Override
    public int hashCode() {
        return Objects.hash(hard, temperature, weight);
    }

    @Override
    public String toString() {
        return "DistillationLoss(" + hard + ", T=" + temperature + ", weight=" + weight + ")";
    }
}
