// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.attention;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One pass of scaled dot-product self-attention over a batch, forward and back, with its factors
 * rounded: queries, keys and values, the probabilities that weigh the values, and the heads' joined
 * result. Sums, softmax and the mask are in float.
 *
 * <p>With m examples, h heads of s units and T steps, projections are [m, h, s, T] and
 * probabilities [m, h, T, T], the last dimension being the key. Without projection there is one
 * head, which reads the input thrice.
 *
 * @see <a href="https://arxiv.org/abs/1706.03762">Vaswani et al., 2017</a>
 * @see <a href="https://arxiv.org/abs/1910.06188">Zafrir et al., 2019: Q8BERT</a>
 */
final class AttentionPass {

    static final String QUERIES = "Wq";
    static final String KEYS = "Wk";
    static final String VALUES = "Wv";
    static final String OUTPUT = "Wo";

    private final Map<String, INDArray> weights;
    private final AttentionRounding rounding;
    private final INDArray x;
    private final Factor queries;
    private final Factor keys;
    private final Factor values;
    private final HeadProducts products;
    private final Factor joined;
    private final INDArray result;

    /** A factor before and after rounding. */
    private record Factor(TensorRole role, INDArray raw, INDArray rounded) {}

    /** The layer's own rounding of the probabilities. */
    private record Probabilities(AttentionRounding all) implements HeadProducts.Rounding {
        @Override
        public INDArray forward(INDArray raw) {
            return all.forward(TensorRole.PROBABILITY, raw);
        }

        @Override
        public INDArray backward(INDArray raw, INDArray upstream) {
            return all.backward(TensorRole.PROBABILITY, raw, upstream);
        }
    }

    /**
     * Runs forward.
     *
     * @param weights DL4J's four, [h, s, n] and [h * s, outputs]; empty without projection
     * @param rounding the rounding of the factors
     * @param x [m, n, T]
     * @param mask [m, T], 1 where a step is there; null if all are
     */
    AttentionPass(
            Map<String, INDArray> weights,
            AttentionRounding rounding,
            INDArray x,
            @Nullable INDArray mask) {
        this.weights = weights;
        this.rounding = rounding;
        this.x = x;
        this.queries = projected(TensorRole.QUERY, QUERIES);
        this.keys = projected(TensorRole.KEY, KEYS);
        this.values = projected(TensorRole.VALUE, VALUES);
        this.products =
                new HeadProducts(
                        queries.rounded(),
                        keys.rounded(),
                        values.rounded(),
                        mask,
                        new Probabilities(rounding));
        INDArray heads = products.result();
        INDArray side = heads.reshape('c', x.size(0), heads.size(1) * heads.size(2), x.size(2));
        this.joined =
                weights.isEmpty()
                        ? new Factor(TensorRole.JOINED, side, side)
                        : rounded(TensorRole.JOINED, side);
        this.result =
                weights.isEmpty()
                        ? side
                        : rows(matrix(OUTPUT).transpose().mmul(columns(joined.rounded())));
    }

    /** {@return [m, outputs, T]} */
    INDArray result() {
        return result;
    }

    /** {@return the factors before they were rounded} */
    Map<TensorRole, INDArray> raw() {
        Map<TensorRole, INDArray> raw = new EnumMap<>(TensorRole.class);
        for (Factor factor : List.of(queries, keys, values, joined)) {
            raw.put(factor.role(), factor.raw());
        }
        raw.put(TensorRole.PROBABILITY, products.raw());
        return raw;
    }

    private INDArray weight(String key) {
        return Objects.requireNonNull(weights.get(key), key);
    }

    /* A projection's weight as [h * s, n], the output's as it is. */
    private INDArray matrix(String key) {
        INDArray w = weight(key);
        return w.rank() == 2 ? w : w.reshape('c', w.size(0) * w.size(1), w.size(2));
    }

    /* [m, n, T] to [n, m * T]. */
    private static INDArray columns(INDArray sequences) {
        return sequences
                .permute(1, 0, 2)
                .dup('c')
                .reshape('c', sequences.size(1), sequences.size(0) * sequences.size(2));
    }

    /* [n, m * T] to [m, n, T]. */
    private INDArray rows(INDArray columns) {
        return columns.dup('c')
                .reshape('c', columns.size(0), x.size(0), x.size(2))
                .permute(1, 0, 2)
                .dup('c');
    }

    private Factor rounded(TensorRole role, INDArray raw) {
        return new Factor(role, raw, rounding.forward(role, raw));
    }

    private Factor projected(TensorRole role, String key) {
        if (weights.isEmpty()) {
            INDArray one = x.dup('c').reshape('c', x.size(0), 1, x.size(1), x.size(2));
            return new Factor(role, one, one);
        }
        INDArray w = weight(key);
        INDArray all = rows(matrix(key).mmul(columns(x)));
        return rounded(role, all.reshape('c', x.size(0), w.size(0), w.size(1), x.size(2)));
    }

    /** The gradients of one backward pass: loss per unit of the input and of each weight. */
    record Gradients(INDArray input, Map<String, INDArray> weights) {}

    /**
     * Goes back, and writes the gradients of the scales to their views.
     *
     * @param epsilon loss per unit of the result, [m, outputs, T]
     */
    Gradients backward(INDArray epsilon) {
        Map<String, INDArray> byWeight = new LinkedHashMap<>();
        HeadProducts.Gradients back = products.backward(byHeads(epsilon, byWeight));
        INDArray toInput = byProjection(QUERIES, queries, back.queries(), byWeight);
        toInput.addi(byProjection(KEYS, keys, back.keys(), byWeight));
        toInput.addi(byProjection(VALUES, values, back.values(), byWeight));
        return new Gradients(toInput, byWeight);
    }

    private INDArray byHeads(INDArray epsilon, Map<String, INDArray> byWeight) {
        if (weights.isEmpty()) {
            return epsilon.dup('c');
        }
        INDArray upstream = columns(epsilon);
        byWeight.put(OUTPUT, columns(joined.rounded()).mmul(upstream.transpose()));
        return rounding.backward(joined.role(), joined.raw(), rows(matrix(OUTPUT).mmul(upstream)));
    }

    private INDArray byProjection(
            String key, Factor factor, INDArray upstream, Map<String, INDArray> byWeight) {
        if (weights.isEmpty()) {
            return upstream.dup('c').reshape('c', x.shape());
        }
        INDArray back = rounding.backward(factor.role(), factor.raw(), upstream.dup('c'));
        INDArray all = columns(back.reshape('c', x.size(0), matrix(key).size(0), x.size(2)));
        byWeight.put(
                key, all.mmul(columns(x).transpose()).dup('c').reshape('c', weight(key).shape()));
        return rows(matrix(key).transpose().mmul(all));
    }

    /**
     * {@return the weights that an attention has, by DL4J's names}
     *
     * @param layer its configuration
     * @param table its parameters
     */
    static Map<String, INDArray> weights(SelfAttentionLayer layer, Map<String, INDArray> table) {
        return layer.isProjectInput() ? table : Map.of();
    }
}
