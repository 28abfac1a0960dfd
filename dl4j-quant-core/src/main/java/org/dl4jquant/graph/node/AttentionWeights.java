// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.ExponentTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * The weights of scaled dot-product attention: the softmax, along the keys, of the products of
 * queries and keys over the square root of their length. One node, so that the products stay int32
 * and need no scale of their own; {@link ExponentTable} is the softmax.
 *
 * @param name the node's name
 * @param queries codes [..., queries, length]
 * @param keys codes [..., length, keys]
 * @param params how the codes of the weights [..., queries, keys] stand for values
 * @param mask the input of the graph [keys] that says which keys count, all having the same weight
 *     where none does; empty if all do
 * @see <a href="https://arxiv.org/abs/1706.03762">Vaswani et al., 2017</a>
 */
public record AttentionWeights(
        String name, String queries, String keys, QuantParams params, Optional<String> mask)
        implements IntNode {

    /** The largest magnitude of a product: the difference of two fits int32. */
    private static final int MOST = (1 << 30) - 1;

    /** The same where there may be products of keys that do not count, {@link #HIDDEN}. */
    private static final int MOST_MASKED = (1 << 29) - 1;

    /** The product of a key that does not count: so far below all others that its power is 0. */
    public static final int HIDDEN = -(1 << 30);

    /** Checks that the parts are there. */
    public AttentionWeights {
        NodeChecks.requireName(name);
        Objects.requireNonNull(params, "params");
        Objects.requireNonNull(mask, "mask");
    }

    /**
     * Weighs all keys.
     *
     * @param name the node's name
     * @param queries codes [..., queries, length]
     * @param keys codes [..., length, keys]
     * @param params how the codes of the weights stand for values
     */
    public AttentionWeights(String name, String queries, String keys, QuantParams params) {
        this(name, queries, keys, params, Optional.empty());
    }

    @Override
    public List<String> inputs() {
        List<String> all = new ArrayList<>(List.of(queries, keys));
        mask.ifPresent(all::add);
        return all;
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType first = inputs.codes(this, queries);
        TensorType second = inputs.codes(this, keys);
        Shape shape = MatMul.product(this, first, second);
        MatMul.requireFits(this, first, second, mask.isPresent() ? MOST_MASKED : MOST);
        int count = shape.size(shape.rank() - 1);
        Require.argument(
                count <= ExponentTable.MAX_TERMS,
                "node '%s' weighs %d keys; at most %d are allowed",
                name,
                count,
                ExponentTable.MAX_TERMS);
        float steps = steps(first, second);
        Require.argument(
                Float.isFinite(steps),
                "node '%s': the scales %s and %s give %s steps per unit of a product; choose"
                        + " smaller scales",
                name,
                first.codes().scale(),
                second.codes().scale(),
                steps);
        requireHides(steps);
        inputs.requireMask(this, count);
        return new TensorType(shape, params);
    }

    /* The product of a key that does not count is at least so far below every other. */
    private void requireHides(float steps) {
        float least = (float) (MOST_MASKED + 1) * steps;
        Require.argument(
                mask.isEmpty() || least >= ExponentTable.SIZE,
                "node '%s': with %s steps per unit of a product, keys that do not count would have"
                        + " weights; choose larger scales of queries or keys",
                name,
                steps);
    }

    /**
     * {@return how many steps of the exponent's table one unit of a product is}
     *
     * @param queries the type of the queries
     * @param keys the type of the keys
     */
    public static float steps(TensorType queries, TensorType keys) {
        return ExponentTable.steps(
                Require.given(queries, "queries").codes().scale(),
                Require.given(keys, "keys").codes().scale(),
                queries.shape().size(queries.shape().rank() - 1));
    }

    @Override
    public String kind() {
        return "AttentionWeights";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
