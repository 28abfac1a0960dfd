// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.List;
import java.util.Locale;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.Updaters;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Wins back the accuracy that rounding cost, by a short training on a small share of the data.
 *
 * <pre>{@code
 * RecoveryRecipe.Recovery recovery =
 *         RecoveryRecipe.withLearningRate(1e-4).run(quantized, trainData, testData);
 * }</pre>
 *
 * @param learningRate of all layers and scales, constant, above 0; often a tenth or a hundredth of
 *     that of the float training
 * @param share of each class of the training data, above 0, at most 1
 * @param epochs how often the network sees the share, above 0
 * @param batch examples in a batch, above 0
 * @param seed of the choice of examples
 */
public record RecoveryRecipe(double learningRate, double share, int epochs, int batch, long seed) {

    private static final double ONE_PER_CENT = 0.01;
    private static final int EPOCHS = 5;
    private static final int BATCH = 32;

    /** Checks the ranges. */
    public RecoveryRecipe {
        Require.argument(
                learningRate > 0 && Double.isFinite(learningRate),
                "the learning rate is %s; it must be above 0 and finite",
                learningRate);
        Require.argument(
                share > 0 && share <= 1,
                "a share of %s of the training data; it must be above 0 and at most 1, such as"
                        + " 0.01 for 1 %%",
                share);
        Require.argument(epochs > 0, "%d epochs; there must be 1 at least", epochs);
        Require.argument(batch > 0, "batches of %d examples; use 1 at least", batch);
    }

    /**
     * What a recovery brought.
     *
     * @param before top-1 accuracy of the network as it came, in [0, 1]
     * @param after top-1 accuracy after the training
     * @param examples how many examples it was trained on
     */
    public record Recovery(double before, double after, int examples) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "accuracy %.2f %% before, %.2f %% after training on %d examples",
                    100 * before,
                    100 * after,
                    examples);
        }
    }

    /**
     * {@return the usual recipe: 1 % of the data, 5 epochs, batches of 32}
     *
     * @param learningRate of all layers and scales, above 0
     */
    public static RecoveryRecipe withLearningRate(double learningRate) {
        return new RecoveryRecipe(learningRate, ONE_PER_CENT, EPOCHS, BATCH, 0);
    }

    /**
     * {@return this on another share of the data}
     *
     * @param other share of each class, above 0, at most 1
     */
    public RecoveryRecipe withShare(double other) {
        return new RecoveryRecipe(learningRate, other, epochs, batch, seed);
    }

    /**
     * {@return this for another number of epochs}
     *
     * @param other how many, above 0
     */
    public RecoveryRecipe withEpochs(int other) {
        return new RecoveryRecipe(learningRate, share, other, batch, seed);
    }

    /**
     * {@return this with batches of another size}
     *
     * @param other examples in a batch, above 0
     */
    public RecoveryRecipe withBatch(int other) {
        return new RecoveryRecipe(learningRate, share, epochs, other, seed);
    }

    /**
     * {@return this with another choice of examples}
     *
     * @param other the seed
     */
    public RecoveryRecipe withSeed(long other) {
        return new RecoveryRecipe(learningRate, share, epochs, batch, other);
    }

    /**
     * Trains a network.
     *
     * @param quantized from {@code Quantization.prepare}; trained further, and keeps the learning
     *     rate
     * @param train the training data, see {@link TrainingShare#of}
     * @param test labelled data that accuracy is measured on; can be reset
     * @return the accuracy before and after
     * @throws IllegalArgumentException if the data are empty or have no labels
     */
    public Recovery run(MultiLayerNetwork quantized, DataSetIterator train, DataSetIterator test) {
        List<DataSet> examples = TrainingShare.of(train, share, seed);
        double before = quantized.evaluate(test).accuracy();
        Updaters.setLearningRate(quantized, learningRate);
        quantized.fit(new ListDataSetIterator<>(examples, batch), epochs);
        return new Recovery(before, quantized.evaluate(test).accuracy(), examples.size());
    }

    /**
     * Trains a network with one input and one output.
     *
     * @param quantized from {@code Quantization.prepare}; trained further, and keeps the learning
     *     rate
     * @param train the training data, see {@link TrainingShare#of}
     * @param test labelled data that accuracy is measured on; can be reset
     * @return the accuracy before and after
     * @throws IllegalArgumentException if the data are empty or have no labels
     */
    public Recovery run(ComputationGraph quantized, DataSetIterator train, DataSetIterator test) {
        List<DataSet> examples = TrainingShare.of(train, share, seed);
        double before = accuracy(quantized, test);
        Updaters.setLearningRate(quantized, learningRate);
        quantized.fit(new ListDataSetIterator<>(examples, batch), epochs);
        return new Recovery(before, accuracy(quantized, test), examples.size());
    }

    private static double accuracy(ComputationGraph network, DataSetIterator test) {
        org.nd4j.evaluation.classification.Evaluation evaluation = network.evaluate(test);
        return evaluation.accuracy();
    }
}
