// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/*
 * Where the batch of a file is fixed to one example, its tools fold rows into the batch: [1, 7, 12]
 * becomes [7, 12] for a Gemm, and [1, 7, 5] after it. In an integer graph there is a batch in any
 * case, so that the rows stay rows of one example.
 */
/** A product of each row of an example with one matrix: a convolution of 1 x 1 elements. */
final class Rows {

    private Rows() {}

    /**
     * {@return the dimensions of one example after a Reshape to a shape without a batch; nothing if
     * it is to another}
     *
     * @param node the operator
     * @param input its input
     * @param source the graph so far
     */
    static Optional<Shape> reshaped(OnnxNode node, String input, FormReader source) {
        if (!node.operator().equals(Operators.RESHAPE) || !source.isSingle()) {
            return Optional.empty();
        }
        long[] sizes = ReshapeForm.sizes(node, source.constants());
        int elements = source.shape(input).elements();
        boolean rows = sizes.length == 2 && sizes[0] != 1 && sizes[0] != 0 && sizes[1] > 0;
        if (!rows || elements % sizes[1] != 0 || elements == sizes[1]) {
            return Optional.empty();
        }
        int count = (int) (elements / sizes[1]);
        return sizes[0] == -1 || sizes[0] == count
                ? Optional.of(Shape.of(count, (int) sizes[1]))
                : Optional.empty();
    }

    /** {@return the dimensions of one example after a Reshape of rows to a shape with a batch} */
    static Shape batched(OnnxNode node, Shape rows, Constants constants) {
        node.require(
                node.operator().equals(Operators.RESHAPE),
                "reads rows that were folded into the batch; only a Reshape can bring the batch of 1"
                        + " back");
        long[] sizes = ReshapeForm.sizes(node, constants);
        long known =
                LongStream.of(sizes).filter(size -> size > 0).reduce(1, (a, b) -> bounded(a * b));
        List<Integer> resolved = new ArrayList<>();
        for (long size : sizes) {
            long found = size == -1 ? rows.elements() / known : size;
            node.require(
                    found > 0 && found <= rows.elements(),
                    "reshapes rows %s to a shape with the size %d",
                    rows,
                    size);
            resolved.add((int) found);
        }
        node.require(
                sizes.length > 1 && resolved.get(0) == 1,
                "reshapes rows %s to %s; the first size must be 1, the batch",
                rows,
                resolved);
        return new Shape(resolved.subList(1, resolved.size()));
    }

    private static long bounded(long size) {
        return Math.min(size, Integer.MAX_VALUE);
    }

    /**
     * Notes a result that is rows, or refuses a node that cannot read them.
     *
     * @param node the node
     * @param isPart whether it is part of a form that knows what to do with rows
     * @param source the graph so far
     */
    static void follow(IntNode node, boolean isPart, FormReader source) {
        if (node.inputs().stream().noneMatch(source.rows()::contains)) {
            return;
        }
        boolean each =
                node instanceof Quantize
                        || node instanceof Dequantize
                        || node instanceof Table
                        || node instanceof Rectify
                        || node instanceof Add
                        || (node instanceof DynamicDense product && product.axis() == 1);
        Require.argument(
                each || node instanceof Reshape || isPart,
                "node '%s' reads rows that were folded into the batch, which only a Gemm and what"
                        + " treats each element alone can; reshape them to a batch of 1 before it",
                node.name());
        if (each) {
            source.rows().add(node.name());
        }
    }

    /**
     * {@return the node of a product with each row of [rows, columns]}
     *
     * @param operator the Gemm or MatMul
     * @param bias the dequantized bias, if there is one
     * @param axis the axis of the weights' output channels
     * @param name the name of the result
     * @param output the form of the result
     * @param source the graph so far
     */
    static IntNode read(
            OnnxNode operator,
            Optional<String> bias,
            int axis,
            String name,
            Output output,
            FormReader source) {
        operator.require(
                output instanceof Output.Codes,
                "has float32 results of several rows; a QuantizeLinear must follow it");
        String input = source.codes(operator, 0);
        Shape shape = source.shape(input);
        int rows = shape.size(0);
        IndexMap columns =
                IndexMap.permute(shape, List.of(1, 0))
                        .then(IndexMap.identity(Shape.of(shape.size(1), rows, 1)))
                        .orElseThrow();
        IntNode image = Move.of(source.freeName(name + "/columns"), input, columns);
        source.addFor(image, input);
        WeightsForm.Read read =
                WeightsForm.read(operator, bias, image.name(), axis, name, 1, source);
        String product = source.freeName(name + "/rows");
        source.addFor(
                new Convolution(
                        product,
                        read.input(),
                        asFilters(read.weights()),
                        Window.of(Extent.ONE, Extent.ONE),
                        1,
                        output),
                name);
        if (source.rows().contains(input)) {
            source.rows().add(name);
        }
        int outputs = read.weights().channels();
        return Move.of(name, product, IndexMap.permute(Shape.of(outputs, rows), List.of(1, 0)));
    }

    private static WeightTensor asFilters(WeightTensor weights) {
        return WeightTensor.of(
                Shape.of(weights.shape().size(0), weights.shape().size(1), 1, 1),
                weights.range(),
                weights.codes(),
                weights.scales(),
                weights.bias());
    }
}
