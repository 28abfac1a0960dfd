// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.attention;

import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * The inner products of scaled dot-product attention, forward and back: each query's softmax over
 * the keys, and the values weighed by it. The probabilities may be rounded; the products, softmax
 * and the mask are in float.
 *
 * <p>With m examples and h heads, queries are [m, h, s, queries], keys [m, h, s, keys] and values
 * [m, h, v, keys]; probabilities are [m, h, queries, keys].
 *
 * @see <a href="https://arxiv.org/abs/1706.03762">Vaswani et al., 2017</a>
 */
public final class HeadProducts {

    /* What DL4J adds to the scores of a step that is masked. */
    private static final double HIDDEN_STEP = -1e9;

    private final INDArray queries;
    private final INDArray keys;
    private final INDArray values;
    private final Rounding rounding;
    private final INDArray raw;
    private final INDArray probabilities;
    private final INDArray result;

    /** How the probabilities are rounded. */
    public interface Rounding {

        /** Lets the probabilities pass. */
        Rounding NONE =
                new Rounding() {
                    @Override
                    public INDArray forward(INDArray raw) {
                        return raw;
                    }

                    @Override
                    public INDArray backward(INDArray raw, INDArray upstream) {
                        return upstream;
                    }
                };

        /**
         * {@return the rounded probabilities: a new array, or the same one in float}
         *
         * @param raw the probabilities
         */
        INDArray forward(INDArray raw);

        /**
         * {@return loss per unit of a probability}
         *
         * @param raw the probabilities before they were rounded
         * @param upstream loss per unit of a rounded one; may be overwritten
         */
        INDArray backward(INDArray raw, INDArray upstream);
    }

    /**
     * The gradients of one backward pass.
     *
     * @param queries loss per unit of the queries
     * @param keys loss per unit of the keys
     * @param values loss per unit of the values
     */
    public record Gradients(INDArray queries, INDArray keys, INDArray values) {}

    /**
     * Runs forward.
     *
     * @param queries [m, h, s, queries], as the products read them
     * @param keys [m, h, s, keys]
     * @param values [m, h, v, keys]
     * @param mask [m, keys], 1 where a key is there; null if all are
     * @param rounding how the probabilities are rounded
     */
    public HeadProducts(
            INDArray queries,
            INDArray keys,
            INDArray values,
            @Nullable INDArray mask,
            Rounding rounding) {
        this.queries = Require.given(queries, "queries");
        this.keys = Require.given(keys, "keys");
        this.values = Require.given(values, "values");
        this.rounding = Require.given(rounding, "rounding");
        this.raw = softmax(scores(mask));
        this.probabilities = rounding.forward(raw);
        this.result = Nd4j.matmul(values, probabilities, false, true, false);
    }

    /** {@return [m, h, v, queries]} */
    public INDArray result() {
        return result;
    }

    /** {@return the probabilities before they were rounded} */
    INDArray raw() {
        return raw;
    }

    private double scale() {
        return 1 / Math.sqrt((double) queries.size(2));
    }

    private INDArray scores(@Nullable INDArray mask) {
        INDArray scores = Nd4j.matmul(queries, keys, true, false, false).muli(scale());
        if (mask == null) {
            return scores;
        }
        INDArray hidden = mask.rsub(1).muli(HIDDEN_STEP).reshape(mask.size(0), 1, 1, mask.size(1));
        return scores.add(hidden);
    }

    private static INDArray softmax(INDArray scores) {
        long[] shape = scores.shape();
        INDArray rows = scores.dup('c').reshape('c', scores.length() / shape[3], shape[3]);
        rows.subiColumnVector(rows.max(true, 1));
        INDArray powers = Transforms.exp(rows, false);
        return powers.diviColumnVector(powers.sum(true, 1)).reshape('c', shape);
    }

    /**
     * Goes back.
     *
     * @param epsilon loss per unit of the result, of its shape
     * @return the gradients of the factors
     */
    public Gradients backward(INDArray epsilon) {
        INDArray toHeads = Require.given(epsilon, "epsilon").reshape('c', result.shape());
        INDArray toValues = Nd4j.matmul(toHeads, probabilities, false, false, false);
        INDArray toScores = byScores(Nd4j.matmul(toHeads, values, true, false, false));
        INDArray toQueries = Nd4j.matmul(keys, toScores, false, true, false);
        INDArray toKeys = Nd4j.matmul(queries, toScores, false, false, false);
        return new Gradients(toQueries, toKeys, toValues);
    }

    private INDArray byScores(INDArray upstream) {
        INDArray back = rounding.backward(raw, upstream.dup('c'));
        INDArray weighted = back.mul(raw);
        return weighted.sub(raw.mul(weighted.sum(true, 3))).muli(scale());
    }
}
