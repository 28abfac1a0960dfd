// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Optional;

/**
 * One operation of an integer graph. Its one result bears its name.
 *
 * <p>The family is sealed, so that whoever walks it, through a {@link Visitor}, is complete: a new
 * node does not compile until every engine and format says what it does with it.
 */
public sealed interface IntNode
        permits Weighted,
                KeepsCodes,
                Input,
                Quantize,
                AveragePool,
                GlobalAveragePool,
                Add,
                Elementwise,
                Concat,
                Table,
                Lookup,
                ChannelTable,
                MatMul,
                AttentionWeights,
                Normalize,
                Dequantize,
                Rectify,
                DynamicDense,
                Recurrent,
                RecurrentMemory {

    /** {@return the node's name, which is its result's} */
    String name();

    /**
     * {@return the name of its kind, the same for all nodes of its class and different from all
     * other kinds'}
     *
     * <p>It is part of the format of digests and of files: the class may be renamed, its kind
     * stays.
     */
    String kind();

    /** {@return the names of the results that it reads} */
    List<String> inputs();

    /** {@return whether the codes that it reads and makes may have 16 bits} */
    default boolean takesWideCodes() {
        return false;
    }

    /**
     * {@return the one of these results that says which steps of a sequence count: an input of the
     * graph of zeros and ones; empty if it reads none}
     */
    default Optional<String> mask() {
        return Optional.empty();
    }

    /**
     * {@return the visitor's result for this node}
     *
     * @param visitor one method per kind of node
     * @param <R> the type of what it makes
     */
    <R> R accept(Visitor<R> visitor);

    /**
     * Returns the type of the node's result, or refuses inputs that do not fit.
     *
     * @param inputs the types of the results that it reads
     * @return the shape and the scale of its result
     * @throws IllegalArgumentException if an input does not fit
     */
    TensorType type(NodeInputs inputs);

    /**
     * Returns where the free number of steps of its inputs is in its result.
     *
     * @param inputs the types of the results that it reads, at least one of them with a free number
     *     of steps
     * @param result its result's, for as many steps as those have
     * @return the dimension of the result; {@link TensorType#NO_TIME} if it has no steps
     * @throws IllegalArgumentException if it computes for a fixed number of steps only
     */
    default int timeAxis(List<TensorType> inputs, TensorType result) {
        throw new IllegalArgumentException(
                "node '"
                        + name()
                        + "' ("
                        + kind()
                        + ") reads "
                        + inputs()
                        + ", whose number of steps is free, and computes for a fixed number only");
    }

    /**
     * {@return the same node for another number of steps}
     *
     * @param steps how many
     * @param input the type of the first result that it reads, or of an input itself
     * @param result its result's type, with the number of steps that it is for
     */
    default IntNode withSteps(int steps, TensorType input, TensorType result) {
        return this;
    }

    /**
     * One method per kind of node.
     *
     * @param <R> the type of what the visitor makes of a node
     */
    interface Visitor<R> {
        /** {@return the result for an input} */
        R visit(Input node);

        /** {@return the result for a quantization} */
        R visit(Quantize node);

        /** {@return the result for a convolution} */
        R visit(Convolution node);

        /** {@return the result for a dense node} */
        R visit(Dense node);

        /** {@return the result for a max pool} */
        R visit(MaxPool node);

        /** {@return the result for an average pool} */
        R visit(AveragePool node);

        /** {@return the result for a global average pool} */
        R visit(GlobalAveragePool node);

        /** {@return the result for a sum} */
        R visit(Add node);

        /** {@return the result for tensors combined place by place} */
        R visit(Elementwise node);

        /** {@return the result for a concatenation} */
        R visit(Concat node);

        /** {@return the result for a table} */
        R visit(Table node);

        /** {@return the result for a lookup of rows} */
        R visit(Lookup node);

        /** {@return the result for tables of channels} */
        R visit(ChannelTable node);

        /** {@return the result for a product of two tensors of codes} */
        R visit(MatMul node);

        /** {@return the result for the weights of an attention} */
        R visit(AttentionWeights node);

        /** {@return the result for a normalization} */
        R visit(Normalize node);

        /** {@return the result for a reshape} */
        R visit(Reshape node);

        /** {@return the result for codes that move} */
        R visit(Move node);

        /** {@return the result for a sequence under a mask} */
        R visit(MoveByMask node);

        /** {@return the result for a dequantization} */
        R visit(Dequantize node);

        /** {@return the result for a function of float32 results} */
        R visit(Rectify node);

        /** {@return the result for a dense node whose scales are found at run time} */
        R visit(DynamicDense node);

        /** {@return the result for the memory of a recurrent layer} */
        R visit(RecurrentMemory node);

        /** {@return the result for a recurrent layer} */
        R visit(Recurrent node);
    }
}
