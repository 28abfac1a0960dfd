// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.IntNode;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** Finds the reference kernel of every kind of node. */
final class Kernels implements IntNode.Visitor<Kernel> {

    private final IntGraph graph;

    Kernels(IntGraph graph) {
        this.graph = graph;
    }

    @Override
    public Kernel visit(IntNode.Input node) {
        return inputs -> inputs.get(0);
    }

    @Override
    public Kernel visit(IntNode.Quantize node) {
        return ElementKernels.quantize(node.params());
    }

    @Override
    public Kernel visit(IntNode.Convolution node) {
        return new ConvolutionKernel(
                node, shape(node.input()), codes(node.input()), shape(node.name()));
    }

    @Override
    public Kernel visit(IntNode.Dense node) {
        return new DenseKernel(node, codes(node.input()));
    }

    @Override
    public Kernel visit(IntNode.MaxPool node) {
        return PoolKernels.max(node, shape(node.input()), shape(node.name()));
    }

    @Override
    public Kernel visit(IntNode.AveragePool node) {
        Shape image = shape(node.input());
        return node.coversImage(image)
                ? PoolKernels.meanOfImage(image, codes(node.input()), node.params())
                : PoolKernels.meanOfWindows(node, image, codes(node.input()), shape(node.name()));
    }

    @Override
    public Kernel visit(IntNode.GlobalAveragePool node) {
        return PoolKernels.meanOfImage(shape(node.input()), codes(node.input()), node.params());
    }

    @Override
    public Kernel visit(IntNode.Add node) {
        return ElementKernels.add(codes(node.left()), codes(node.right()), node.output());
    }

    @Override
    public Kernel visit(IntNode.Concat node) {
        return ElementKernels.concat(
                node.inputs().stream().map(this::codes).toList(),
                node.params(),
                shape(node.name()));
    }

    @Override
    public Kernel visit(IntNode.Table node) {
        return ElementKernels.table(node.table(), node.params());
    }

    @Override
    public Kernel visit(IntNode.Reshape node) {
        return ElementKernels.reshape(node.shape());
    }

    @Override
    public Kernel visit(IntNode.Dequantize node) {
        return ElementKernels.dequantize(codes(node.input()));
    }

    @Override
    public Kernel visit(IntNode.Rectify node) {
        return ElementKernels.rectify(node.function());
    }

    private Shape shape(String name) {
        return graph.type(name).shape();
    }

    private QuantParams codes(String name) {
        return graph.type(name).codes();
    }
}
