// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.numeric.CodeOperation;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** Combines tensors place by place, those with dimensions of size 1 repeated. */
final class ElementwiseKernel implements Kernel {

    private final CodeOperation operation;
    private final QuantParams params;
    private final Shape shape;
    private final List<int[]> places;

    /**
     * Makes the kernel.
     *
     * @param node the node
     * @param params how its inputs' codes stand for values
     * @param shapes its inputs' shapes
     * @param shape its result's
     */
    ElementwiseKernel(Elementwise node, List<QuantParams> params, List<Shape> shapes, Shape shape) {
        this.operation =
                CodeOperation.of(
                        node.operation(), params, node.output().params(), node.output().bounds());
        this.params = node.output().params();
        this.shape = shape;
        this.places = shapes.stream().map(input -> places(input, shape)).toList();
    }

    /** {@return for each place of the result, that of the input} */
    private static int[] places(Shape input, Shape result) {
        int[] places = new int[result.elements()];
        int stride = 1;
        int block = 1;
        for (int axis = result.rank() - 1; axis >= 0; axis--) {
            int size = result.size(axis);
            if (input.size(axis) > 1) {
                for (int place = 0; place < places.length; place++) {
                    places[place] += place / block % size * stride;
                }
            }
            stride *= input.size(axis);
            block *= size;
        }
        return places;
    }

    @Override
    public Batch run(List<Batch> inputs) {
        int size = inputs.get(0).size();
        byte[] containers = new byte[size * shape.elements()];
        int[] codes = new int[inputs.size()];
        int to = 0;
        for (int example = 0; example < size; example++) {
            for (int place = 0; place < shape.elements(); place++) {
                for (int i = 0; i < codes.length; i++) {
                    Batch.Codes input = (Batch.Codes) inputs.get(i);
                    int from = example * input.shape().elements() + places.get(i)[place];
                    codes[i] = input.code(from);
                }
                containers[to++] = (byte) operation.code(codes);
            }
        }
        return Batch.Codes.of(size, shape, containers, params);
    }
}
