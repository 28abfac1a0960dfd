// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Lookup;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.MoveByMask;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.graph.node.RecurrentMemory;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/** Finds the reference kernel of every kind of node. */
final class Kernels implements IntNode.Visitor<Kernel> {

    private final IntGraph graph;

    Kernels(IntGraph graph) {
        this.graph = graph;
    }

    @Override
    public Kernel visit(Input node) {
        return inputs -> inputs.get(0);
    }

    @Override
    public Kernel visit(Quantize node) {
        return ElementKernels.quantize(node.params());
    }

    @Override
    public Kernel visit(Convolution node) {
        Shape image = shape(node.input());
        QuantParams input = codes(node.input());
        return node.isWide(input)
                ? new WideConvolutionKernel(node, image, input, shape(node.name()))
                : new ConvolutionKernel(node, image, input, shape(node.name()));
    }

    @Override
    public Kernel visit(Dense node) {
        QuantParams input = codes(node.input());
        return node.isWide(input) ? new WideDenseKernel(node, input) : new DenseKernel(node, input);
    }

    @Override
    public Kernel visit(MaxPool node) {
        return PoolKernels.max(node, shape(node.input()), shape(node.name()));
    }

    @Override
    public Kernel visit(AveragePool node) {
        Shape image = shape(node.input());
        return node.coversImage(image)
                ? PoolKernels.meanOfImage(image, codes(node.input()), node.params())
                : PoolKernels.meanOfWindows(node, image, codes(node.input()), shape(node.name()));
    }

    @Override
    public Kernel visit(GlobalAveragePool node) {
        return PoolKernels.meanOfImage(shape(node.input()), codes(node.input()), node.params());
    }

    @Override
    public Kernel visit(Add node) {
        return ElementKernels.add(codes(node.left()), codes(node.right()), node.output());
    }

    @Override
    public Kernel visit(Elementwise node) {
        return new ElementwiseKernel(
                node,
                node.inputs().stream().map(this::codes).toList(),
                node.inputs().stream().map(this::shape).toList(),
                shape(node.name()));
    }

    @Override
    public Kernel visit(Concat node) {
        return ElementKernels.concat(
                node.inputs().stream().map(this::codes).toList(),
                node.params(),
                shape(node.name()));
    }

    @Override
    public Kernel visit(Table node) {
        return ElementKernels.table(node.table(), node.params());
    }

    @Override
    public Kernel visit(Lookup node) {
        return ElementKernels.lookup(node.rows(), node.params(), shape(node.name()));
    }

    @Override
    public Kernel visit(ChannelTable node) {
        return ElementKernels.tables(node.tables(), node.params());
    }

    @Override
    public Kernel visit(MatMul node) {
        return MatMulKernel.of(
                node, graph.type(node.left()), graph.type(node.right()), shape(node.name()));
    }

    @Override
    public Kernel visit(AttentionWeights node) {
        return MatMulKernel.of(
                node, graph.type(node.queries()), graph.type(node.keys()), shape(node.name()));
    }

    @Override
    public Kernel visit(Normalize node) {
        return ElementKernels.normalize(node, codes(node.input()), shape(node.input()));
    }

    @Override
    public Kernel visit(Reshape node) {
        return ElementKernels.reshape(node.shape());
    }

    @Override
    public Kernel visit(Move node) {
        return graph.type(node.input()).isCodes()
                ? ElementKernels.move(node.map(), codes(node.input()))
                : ElementKernels.moveValues(node.map());
    }

    @Override
    public Kernel visit(MoveByMask node) {
        return new MaskKernel(node, graph.type(node.input()), shape(node.name()));
    }

    @Override
    public Kernel visit(Dequantize node) {
        return ElementKernels.dequantize(codes(node.input()));
    }

    @Override
    public Kernel visit(Rectify node) {
        return ElementKernels.rectify(node.function());
    }

    @Override
    public Kernel visit(DynamicDense node) {
        return new DynamicDenseKernel(node);
    }

    @Override
    public Kernel visit(RecurrentMemory node) {
        return new RecurrentKernel(node.of(), codes(node.of().input())).memory();
    }

    @Override
    public Kernel visit(Recurrent node) {
        return new RecurrentKernel(node, codes(node.input()));
    }

    private Shape shape(String name) {
        return graph.type(name).shape();
    }

    private QuantParams codes(String name) {
        return graph.type(name).codes();
    }
}
