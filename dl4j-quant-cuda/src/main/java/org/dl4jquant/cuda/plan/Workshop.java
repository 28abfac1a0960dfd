// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.cuda.kernel.ElementKernels;
import org.dl4jquant.cuda.kernel.ElementwiseKernel;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.MoveKernel;
import org.dl4jquant.cuda.kernel.PoolKernels;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Lookup;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;

/**
 * Makes the launches of one work after the other: those of products with {@link Products}, those of
 * the other nodes here.
 */
final class Workshop implements RefusedNodes<Tensor> {

    private final IntGraph graph;
    private final Slices slices;
    private final Tensors tensors;
    private final Products products;
    private final Launches launches;
    private final ConstantPool constants;
    private final RowLaunches rows;
    private final Set<String> notOnlyConvolved = new HashSet<>();
    private @Nullable Add sum;
    private @Nullable MaxPool pool;

    Workshop(
            IntGraph graph,
            List<Work> works,
            Slices slices,
            Tensors tensors,
            Products products,
            Launches launches,
            ConstantPool constants) {
        this.graph = graph;
        this.slices = slices;
        this.tensors = tensors;
        this.products = products;
        this.launches = launches;
        this.constants = constants;
        this.rows = new RowLaunches(tensors, launches, constants);
        for (Work work : works) {
            boolean convolves = work.node() instanceof Convolution node && node.groups() == 1;
            if (!convolves) {
                notOnlyConvolved.addAll(work.node().inputs());
            }
            if (work.sum() != null) {
                notOnlyConvolved.addAll(work.sum().inputs());
            }
        }
    }

    /** {@return the work's results by name, for which the launches were added} */
    Map<String, Tensor> make(Work work) {
        sum = work.sum();
        pool = work.pool();
        try {
            return work.siblings().isEmpty()
                    ? Map.of(work.results().get(0), work.node().accept(this))
                    : products.multiplyTogether(work.nodes());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "node '"
                            + String.join("', '", work.results())
                            + "' cannot run on a GPU: "
                            + e.getMessage(),
                    e);
        }
    }

    @Override
    public Tensor visit(Input node) {
        return tensors.get(node.name());
    }

    @Override
    public Tensor visit(Quantize node) {
        ImageLayout layout = Tensor.natural(graph.type(node.name()));
        // A tensor that only convolutions read, such as an image of three colours, needs no 16
        // channels.
        boolean small =
                layout.channels() <= ImageLayout.SMALL_PITCH
                        && slices.of(node.name()) == null
                        && !notOnlyConvolved.contains(node.name());
        Tensor result =
                tensors.result(
                        node.name(), small ? layout.withPitch(ImageLayout.SMALL_PITCH) : layout);
        launches.add(
                node.name(),
                ElementKernels.quantize(result.image(), node.params()),
                tensors.get(node.input()),
                result);
        return result;
    }

    @Override
    public Tensor visit(Convolution node) {
        return node.groups() > 1
                ? products.convolveGroups(node)
                : products.multiply(node, node.weights(), sum, pool);
    }

    @Override
    public Tensor visit(Dense node) {
        return products.multiply(node, node.weights(), sum, pool);
    }

    @Override
    public Tensor visit(MaxPool node) {
        Tensor input = tensors.natural(node.input());
        Tensor result = tensors.result(node.name());
        KernelSpec kernel =
                PoolKernels.max(
                        input.image(), input.codes(), node.window(), result.image().pitch());
        return launched(node, kernel, input, result);
    }

    @Override
    public Tensor visit(AveragePool node) {
        if (node.coversImage(graph.type(node.input()).shape())) {
            return meanOfImage(node.name(), node.input(), node.params());
        }
        Tensor input = tensors.natural(node.input());
        Tensor result = tensors.result(node.name());
        launches.add(
                node.name(),
                PoolKernels.mean(input.image(), input.codes(), node, result.image().pitch()),
                input,
                result);
        return result;
    }

    @Override
    public Tensor visit(GlobalAveragePool node) {
        return meanOfImage(node.name(), node.input(), node.params());
    }

    private Tensor meanOfImage(String name, String from, QuantParams params) {
        Tensor input = tensors.natural(from);
        Tensor result = tensors.result(name);
        launches.add(
                name,
                PoolKernels.meanOfImage(
                        input.image(), input.codes(), params, result.image().pitch()),
                input,
                result);
        return result;
    }

    @Override
    public Tensor visit(Add node) {
        boolean slice = slices.of(node.name()) != null;
        Tensor left = slice ? tensors.natural(node.left()) : tensors.get(node.left());
        Tensor right = tensors.inLayout(node.right(), left.image());
        Tensor result = tensors.result(node.name(), Tensors.alone(left.image()));
        launches.add(
                node.name(),
                ElementKernels.add(
                        left.image(),
                        left.codes(),
                        right.image(),
                        right.codes(),
                        result.image().pitch(),
                        node.output()),
                left,
                right,
                result);
        return result;
    }

    @Override
    public Tensor visit(Elementwise node) {
        Tensor result = tensors.result(node.name());
        List<ElementwiseKernel.Source> sources = new ArrayList<>();
        List<Object> pointers = new ArrayList<>();
        for (String name : node.inputs()) {
            Tensor input = tensors.natural(name);
            sources.add(new ElementwiseKernel.Source(input.image(), input.codes()));
            pointers.add(input);
        }
        KernelSpec kernel = ElementwiseKernel.of(node, sources, result.image());
        while (pointers.size() < ElementwiseKernel.MAX_INPUTS) {
            pointers.add(new Argument.Nothing());
        }
        pointers.add(result);
        launches.add(node.name(), kernel, pointers.toArray());
        return result;
    }

    @Override
    public Tensor visit(Table node) {
        boolean slice = slices.of(node.name()) != null;
        Tensor input = slice ? tensors.natural(node.input()) : tensors.get(node.input());
        Tensor result = tensors.result(node.name(), Tensors.alone(input.image()));
        launches.add(
                node.name(),
                ElementKernels.table(input.image(), result.image().pitch(), true),
                input,
                constants.add(node.table().entries()),
                result);
        return result;
    }

    @Override
    public Tensor visit(Lookup node) {
        Tensor indices = tensors.get(node.input());
        Tensor result = tensors.result(node.name());
        int count = indices.type().shape().elements();
        launches.add(
                node.name(),
                ElementKernels.lookup(node.rows(), count, result.image()),
                indices,
                constants.add(node.rows().containers()),
                result);
        return result;
    }

    @Override
    public Tensor visit(ChannelTable node) {
        // A reshaped image has its channels elsewhere than its shape says.
        Tensor input = tensors.natural(node.input());
        Tensor result = tensors.result(node.name());
        byte[] tables = new byte[node.tables().size() * CodeTable.SIZE];
        for (int i = 0; i < node.tables().size(); i++) {
            byte[] entries = node.tables().get(i).entries();
            System.arraycopy(entries, 0, tables, i * CodeTable.SIZE, CodeTable.SIZE);
        }
        launches.add(
                node.name(),
                ElementKernels.channelTable(
                        input.image(),
                        result.image().pitch(),
                        node.dimensions(graph.type(node.input()).shape())),
                input,
                constants.add(tables),
                result);
        return result;
    }

    @Override
    public Tensor visit(MatMul node) {
        return rows.multiply(node);
    }

    @Override
    public Tensor visit(AttentionWeights node) {
        return rows.weigh(node);
    }

    @Override
    public Tensor visit(Normalize node) {
        return rows.normalize(node);
    }

    @Override
    public Tensor visit(Concat node) {
        Tensor result = tensors.result(node.name());
        int offset = 0;
        for (String name : node.inputs()) {
            if (!slices.isPlaced(name, node, offset)) {
                copy(tensors.natural(name), node, result, offset);
            }
            offset += graph.type(name).shape().size(0);
        }
        return result;
    }

    private void copy(Tensor part, Concat node, Tensor result, int offset) {
        int channels = part.image().channels();
        // Code by code where whole chunks would reach into a neighbour, or are not aligned.
        boolean last = offset + channels == result.image().channels();
        boolean whole =
                offset % ImageLayout.CHUNK == 0 && (last || channels % ImageLayout.CHUNK == 0);
        CodeTable table = CodeTable.from(value -> value, part.codes(), node.params());
        launches.add(
                node.name(),
                ElementKernels.table(part.image(), result.image().pitch(), whole),
                part,
                constants.add(table.entries()),
                new Tensor(part.type(), result.buffer(), result.slice() + offset, part.layout()));
    }

    @Override
    public Tensor visit(Reshape node) {
        return tensors.get(node.input()).as(graph.type(node.name()));
    }

    @Override
    public Tensor visit(Move node) {
        Tensor input = tensors.get(node.input());
        if (!graph.type(node.name()).isCodes()) {
            KernelSpec kernel = ElementKernels.transpose(node.map());
            return launched(node, kernel, input, tensors.floats(node.name()));
        }
        Tensor result = tensors.result(node.name());
        MoveKernel move = MoveKernel.of(input.image(), result.image(), node.map(), input.codes());
        launches.add(
                node.name(),
                move.kernel(),
                input,
                move.tables().isEmpty() ? new Argument.Nothing() : constants.add(move.tableArray()),
                result);
        return result;
    }

    @Override
    public Tensor visit(Dequantize node) {
        Tensor input = tensors.get(node.input());
        KernelSpec kernel = ElementKernels.dequantize(input.image(), input.codes());
        return launched(node, kernel, input, tensors.floats(node.name()));
    }

    @Override
    public Tensor visit(Rectify node) {
        Tensor result = tensors.floats(node.name());
        int elements = result.type().shape().elements();
        KernelSpec kernel = ElementKernels.rectify(elements, node.function());
        return launched(node, kernel, tensors.get(node.input()), result);
    }

    private Tensor launched(IntNode node, KernelSpec kernel, Tensor input, Tensor result) {
        launches.add(node.name(), kernel, input, result);
        return result;
    }
}
