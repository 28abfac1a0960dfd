// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.List;
import org.dl4jquant.cuda.kernel.MatrixKernels;
import org.dl4jquant.cuda.kernel.NormalizeKernel;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.numeric.ExponentTable;
import org.dl4jquant.numeric.Shape;

/**
 * Makes the launches of nodes that sum along a dimension of codes and have no weights: products of
 * two tensors, the weights of an attention, normalizations.
 */
final class RowLaunches {

    private final Tensors tensors;
    private final Launches launches;
    private final ConstantPool constants;

    RowLaunches(Tensors tensors, Launches launches, ConstantPool constants) {
        this.tensors = tensors;
        this.launches = launches;
        this.constants = constants;
    }

    /** {@return the result of a product} */
    Tensor multiply(MatMul node) {
        Tensor left = tensors.get(node.left());
        Tensor right = tensors.get(node.right());
        Tensor result = tensors.result(node.name());
        launches.add(
                node.name(),
                MatrixKernels.product(
                        codes(left),
                        codes(right),
                        sizes(left, right),
                        result.image(),
                        node.output()),
                left,
                right,
                result);
        return result;
    }

    /** {@return the weights of an attention} */
    Tensor weigh(AttentionWeights node) {
        Tensor queries = tensors.get(node.queries());
        Tensor keys = tensors.get(node.keys());
        Tensor result = tensors.result(node.name());
        launches.add(
                node.name(),
                MatrixKernels.weights(
                        codes(queries),
                        codes(keys),
                        sizes(queries, keys),
                        AttentionWeights.steps(queries.type(), keys.type()),
                        codes(result)),
                queries,
                keys,
                constants.add(ExponentTable.toArray()),
                result);
        return result;
    }

    /** {@return normalized codes} */
    Tensor normalize(Normalize node) {
        Tensor input = tensors.get(node.input());
        Tensor result = tensors.result(node.name());
        launches.add(
                node.name(),
                NormalizeKernel.of(node, codes(input), input.type().shape(), result.image()),
                input,
                places(node.formula().gains()),
                places(node.formula().shifts()),
                result);
        return result;
    }

    private Argument places(List<Float> values) {
        float[] places = new float[values.size()];
        for (int i = 0; i < places.length; i++) {
            places[i] = values.get(i);
        }
        return values.isEmpty() ? new Argument.Nothing() : constants.add(places);
    }

    private static MatrixKernels.Codes codes(Tensor tensor) {
        return new MatrixKernels.Codes(tensor.image(), tensor.codes());
    }

    private static MatrixKernels.Sizes sizes(Tensor left, Tensor right) {
        Shape first = left.type().shape();
        int rank = first.rank();
        return new MatrixKernels.Sizes(
                first.size(rank - 2), first.size(rank - 1), right.type().shape().size(rank - 1));
    }
}
