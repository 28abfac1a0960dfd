// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

class DistillationLossTest {

    private static final int ROWS = 3;
    private static final int CLASSES = 4;

    /* Central differences in float64 with steps of 1e-5, with DL4J's softmax clipped at 1e-10. */
    private static final double STEP = 1e-5;
    private static final double DIFFERENCE_ERROR = 1e-6;

    /* Float64 sums in another order, DL4J's clipping of probabilities at 1e-10 included. */
    private static final double ROUNDING = 1e-8;

    private static final ActivationSoftmax SOFTMAX = new ActivationSoftmax();

    private static INDArray normal(int seed) {
        Nd4j.getRandom().setSeed(seed);
        return Nd4j.randn(DataType.DOUBLE, ROWS, CLASSES).muli(2);
    }

    private static INDArray labels() {
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, ROWS, CLASSES);
        for (int i = 0; i < ROWS; i++) {
            labels.putScalar(new int[] {i, i}, 1);
        }
        return labels;
    }

    private static DistillationLoss loss(double temperature, double weight, INDArray teacher) {
        DistillationLoss loss = new DistillationLoss(new LossMCXENT(), temperature, weight);
        INDArray probabilities = SOFTMAX.getActivation(teacher.dup(), true);
        loss.setAnswers(
                new DistillationLoss.Answers(
                        DistillationLoss.logProbabilities(probabilities), null));
        return loss;
    }

    private static double[] softmax(INDArray scores, int row, double temperature) {
        double[] p = new double[CLASSES];
        double sum = 0;
        for (int i = 0; i < CLASSES; i++) {
            p[i] = Math.exp(scores.getDouble(row, i) / temperature);
            sum += p[i];
        }
        for (int i = 0; i < CLASSES; i++) {
            p[i] /= sum;
        }
        return p;
    }

    /* Hinton's formula, written out. */
    private static double expected(
            INDArray student, INDArray teacher, double temperature, double weight) {
        double sum = 0;
        for (int row = 0; row < ROWS; row++) {
            double[] p = softmax(teacher, row, temperature);
            double[] q = softmax(student, row, temperature);
            double divergence = 0;
            for (int i = 0; i < CLASSES; i++) {
                divergence += p[i] * Math.log(p[i] / q[i]);
            }
            double hard = -Math.log(softmax(student, row, 1)[row]);
            sum += (1 - weight) * hard + weight * temperature * temperature * divergence;
        }
        return sum;
    }

    @Property(tries = 50)
    void isTheFormulaOfThePaper(
            @ForAll @IntRange(min = 1, max = 1000) int seed,
            @ForAll @DoubleRange(min = 0.5, max = 10) double temperature,
            @ForAll @DoubleRange(min = 0.01, max = 1) double weight) {
        INDArray student = normal(seed);
        INDArray teacher = normal(seed + 1000);

        double score =
                loss(temperature, weight, teacher)
                        .computeScore(labels(), student, SOFTMAX, null, false);

        double expected = expected(student, teacher, temperature, weight);
        assertEquals(expected, score, ROUNDING * (1 + expected));
    }

    @Property(tries = 20)
    void itsGradientIsThatOfItsScore(
            @ForAll @IntRange(min = 1, max = 1000) int seed,
            @ForAll @DoubleRange(min = 0.5, max = 10) double temperature,
            @ForAll @DoubleRange(min = 0.01, max = 1) double weight) {
        INDArray student = normal(seed);
        DistillationLoss loss = loss(temperature, weight, normal(seed + 1000));
        INDArray gradient = loss.computeGradient(labels(), student.dup(), SOFTMAX, null);

        for (int i = 0; i < student.length(); i++) {
            double value = student.getDouble(i);
            student.putScalar(i, value + STEP);
            double more = loss.computeScore(labels(), student.dup(), SOFTMAX, null, false);
            student.putScalar(i, value - STEP);
            double less = loss.computeScore(labels(), student.dup(), SOFTMAX, null, false);
            student.putScalar(i, value);
            assertEquals(
                    (more - less) / (2 * STEP),
                    gradient.getDouble(i),
                    DIFFERENCE_ERROR * temperature);
        }
    }

    @Test
    void aStudentThatSaysTheSameLearnsNothing() {
        INDArray scores = normal(1);
        DistillationLoss loss = loss(4, 1, scores);

        assertEquals(0, loss.computeScore(labels(), scores.dup(), SOFTMAX, null, false), ROUNDING);
        assertEquals(
                0,
                loss.computeGradient(labels(), scores.dup(), SOFTMAX, null)
                        .norm1Number()
                        .doubleValue(),
                ROUNDING);
    }

    @Test
    void averagesOverTheExamples() {
        DistillationLoss loss = loss(2, 0.5, normal(2));
        double sum = loss.computeScore(labels(), normal(1), SOFTMAX, null, false);

        assertEquals(
                sum / ROWS, loss.computeScore(labels(), normal(1), SOFTMAX, null, true), ROUNDING);
    }

    @Test
    void aMaskedExampleCountsNothing() {
        INDArray mask = Nd4j.create(new double[] {1, 0, 1}, new long[] {3, 1}, DataType.DOUBLE);
        DistillationLoss loss = loss(2, 0.5, normal(2));
        INDArray gradient = loss.computeGradient(labels(), normal(1), SOFTMAX, mask);

        assertEquals(0, gradient.getRow(1).norm1Number().doubleValue());
        assertTrue(gradient.getRow(0).norm1Number().doubleValue() > 0);
        double all = loss.computeScore(labels(), normal(1), SOFTMAX, null, false);
        assertTrue(loss.computeScore(labels(), normal(1), SOFTMAX, mask, false) < all);
    }

    @Test
    void isTheHardLossOutsideOfTraining() {
        DistillationLoss loss = loss(2, 0.5, normal(2));
        loss.setAnswers(null);

        assertEquals(
                new LossMCXENT().computeScore(labels(), normal(1), SOFTMAX, null, true),
                loss.computeScore(labels(), normal(1), SOFTMAX, null, true));
        assertEquals(
                new LossMCXENT().computeScoreArray(labels(), normal(1), SOFTMAX, null),
                loss.computeScoreArray(labels(), normal(1), SOFTMAX, null));
    }

    @Test
    void refusesToTrainWithoutATeacher() {
        DistillationLoss loss = new DistillationLoss(new LossMCXENT(), 2, 0.5);

        IllegalStateException e =
                assertThrows(
                        IllegalStateException.class,
                        () -> loss.computeGradient(labels(), normal(1), SOFTMAX, null));

        assertEquals(
                "the network is a student without its teacher: its listeners were replaced (add"
                        + " listeners before attaching), or it was saved during a distillation; call"
                        + " Distillation.attach to go on, or Distillation.detach to train on labels"
                        + " alone",
                e.getMessage());
    }
}
