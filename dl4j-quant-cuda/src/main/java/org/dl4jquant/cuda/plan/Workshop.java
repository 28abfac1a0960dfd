// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.ElementKernels;
import org.dl4jquant.cuda.kernel.GemmKernel;
import org.dl4jquant.cuda.kernel.GemmProblem;
import org.dl4jquant.cuda.kernel.GemmWeights;
import org.dl4jquant.cuda.kernel.GroupedConvolution;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.cuda.kernel.MoveKernel;
import org.dl4jquant.cuda.kernel.PoolKernels;
import org.dl4jquant.cuda.kernel.Residual;
import org.dl4jquant.cuda.kernel.StackedLayers;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/** Makes the launches of one work after the other. */
final class Workshop implements IntNode.Visitor<Tensor> {

    private final IntGraph graph;
    private final Slices slices;
    private final Launches launches;
    private final ConstantPool constants;
    private final Map<String, Tensor> tensors;
    private final Architecture architecture;
    private final Candidates candidates;
    private final Map<String, Tensor> reordered = new HashMap<>();
    private final Set<String> notOnlyConvolved = new HashSet<>();
    private @Nullable Add sum;
    private @Nullable MaxPool pool;

    Workshop(
            IntGraph graph,
            List<Work> works,
            Slices slices,
            Launches launches,
            ConstantPool constants,
            Map<String, Tensor> tensors,
            Architecture architecture,
            Candidates candidates) {
        this.graph = graph;
        this.slices = slices;
        this.launches = launches;
        this.constants = constants;
        this.tensors = tensors;
        this.architecture = architecture;
        this.candidates = candidates;
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
                    : multiplyTogether(work.nodes());
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
        return tensor(node.name());
    }

    @Override
    public Tensor visit(Quantize node) {
        ImageLayout layout = Tensor.natural(graph.type(node.name()));
        // What only convolutions read, such as a picture of three colours, needs no 16 channels.
        boolean small =
                layout.channels() <= ImageLayout.SMALL_PITCH
                        && slices.of(node.name()) == null
                        && !notOnlyConvolved.contains(node.name());
        Tensor result =
                result(node.name(), small ? layout.withPitch(ImageLayout.SMALL_PITCH) : layout);
        launches.add(
                node.name(),
                ElementKernels.quantize(result.image(), node.params()),
                tensor(node.input()),
                result);
        return result;
    }

    @Override
    public Tensor visit(Convolution node) {
        if (node.groups() > 1) {
            return convolveGroups(node);
        }
        return multiply(problem(node), node.weights(), input(node), node.name());
    }

    private Tensor input(IntNode node) {
        String name = node.inputs().get(0);
        return node instanceof Dense ? tensor(name) : natural(name);
    }

    private GemmProblem problem(IntNode node) {
        Tensor input = input(node);
        return node instanceof Dense dense
                ? GemmProblem.of(dense, input.image(), codes(input))
                : GemmProblem.of((Convolution) node, input.image(), codes(input));
    }

    private Tensor convolveGroups(Convolution node) {
        Tensor input = natural(node.input());
        GroupedConvolution convolution = GroupedConvolution.of(node, input.image(), codes(input));
        Tensor result =
                node.output() instanceof Output.Codes ? result(node.name()) : floats(node.name());
        int pitch = result.layout() == null ? 0 : result.image().pitch();
        launches.add(
                node.name(),
                convolution.kernel(pitch, candidates.batches().get(0)),
                input,
                constants.add(convolution.weights()),
                constants.add(convolution.bias()),
                constants.add(convolution.multipliers()),
                result);
        return result;
    }

    @Override
    public Tensor visit(Dense node) {
        return multiply(problem(node), node.weights(), input(node), node.name());
    }

    private Map<String, Tensor> multiplyTogether(List<IntNode> nodes) {
        StackedLayers stack = new StackedLayers(nodes.stream().map(this::problem).toList());
        GemmProblem problem = stack.problem();
        ImageLayout whole = natural(problem);
        String buffer = launches.buffer(nodes.get(0).name() + "\nstacked", whole.bytes());
        Map<String, Tensor> results = new HashMap<>();
        List<GemmWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            GemmProblem alone = stack.layers().get(i);
            String name = nodes.get(i).name();
            ImageLayout layout = natural(alone).withPitch(whole.pitch());
            results.put(name, new Tensor(graph.type(name), buffer, stack.offset(i), layout));
            layers.add(Forecast.layer(nodes.get(i)));
        }
        String first = nodes.get(0).name();
        Tensor all = new Tensor(graph.type(first), buffer, 0, whole);
        launch(problem, layers, input(nodes.get(0)), new Argument.Nothing(), all, first);
        return results;
    }

    private Tensor multiply(GemmProblem plain, WeightTensor weights, Tensor input, String name) {
        GemmProblem problem = plain;
        Object residual = new Argument.Nothing();
        String resultName = name;
        if (sum != null) {
            boolean right = sum.left().equals(name);
            Tensor other = inLayout(right ? sum.right() : sum.left(), natural(problem));
            problem =
                    problem.withResidual(
                            new Residual(codes(other), other.image().pitch(), right, sum.output()));
            residual = other;
            resultName = sum.name();
        }
        if (pool != null) {
            problem = problem.withPool(pool.window());
            resultName = pool.name();
        }
        Tensor result;
        if (graph.type(resultName).isCodes()) {
            result = result(resultName, natural(problem));
            problem = problem.withOutputPitch(result.image().pitch());
        } else {
            result = floats(resultName);
        }
        launch(
                problem,
                List.of(new GemmWeights.Layer(weights, problem.output())),
                input,
                residual,
                result,
                resultName);
        return result;
    }

    private void launch(
            GemmProblem plain,
            List<GemmWeights.Layer> layers,
            Tensor input,
            Object residual,
            Tensor result,
            String resultName) {
        GemmProblem problem =
                GemmWeights.sumsAreShort(plain, layers) ? plain.withShortSums() : plain;
        List<Launches.Way> ways = new ArrayList<>();
        Map<GemmProblem, Packed> packed = new HashMap<>();
        for (Candidates.Way way :
                candidates.of(problem, GemmWeights.canPack(problem, layers), architecture)) {
            Packed weights = packed.computeIfAbsent(way.problem(), each -> packed(each, layers));
            ways.add(
                    new Launches.Way(
                            GemmKernel.of(way.problem(), way.tactic(), architecture),
                            List.of(
                                    input,
                                    weights.codes(),
                                    weights.bias(),
                                    weights.multipliers(),
                                    residual,
                                    result,
                                    way.tactic().splits() > 1
                                            ? new Argument.Scratch()
                                            : new Argument.Nothing())));
        }
        launches.add(resultName, ways);
    }

    /** What a product reads of its weights; all tactics of a product read the same. */
    private record Packed(Argument codes, Argument bias, Argument multipliers) {}

    private Packed packed(GemmProblem problem, List<GemmWeights.Layer> layers) {
        GemmWeights weights = GemmWeights.of(problem, layers);
        return new Packed(
                codes(problem, layers, weights.codes()),
                constants.add(weights.bias()),
                constants.add(weights.multipliers()));
    }

    /* Codes of 4 bits are stored packed, even if the kernel reads bytes. */
    private Argument codes(GemmProblem problem, List<GemmWeights.Layer> layers, byte[] codes) {
        if (problem.packedWeights() || !GemmWeights.canPack(problem, layers)) {
            return constants.add(codes);
        }
        byte[] packed = GemmWeights.of(problem.withPackedWeights(), layers).codes();
        return constants.add(codes, packed, ImageLayout.padded(problem.filters()));
    }

    private static ImageLayout natural(GemmProblem problem) {
        return new ImageLayout(
                problem.filters(),
                problem.stored().height(),
                problem.stored().width(),
                ImageLayout.padded(problem.filters()));
    }

    @Override
    public Tensor visit(MaxPool node) {
        Tensor input = natural(node.input());
        Tensor result = result(node.name());
        launches.add(
                node.name(),
                PoolKernels.max(input.image(), codes(input), node.window(), result.image().pitch()),
                input,
                result);
        return result;
    }

    @Override
    public Tensor visit(AveragePool node) {
        if (node.coversImage(graph.type(node.input()).shape())) {
            return meanOfImage(node.name(), node.input(), node.params());
        }
        Tensor input = natural(node.input());
        Tensor result = result(node.name());
        launches.add(
                node.name(),
                PoolKernels.mean(input.image(), codes(input), node, result.image().pitch()),
                input,
                result);
        return result;
    }

    @Override
    public Tensor visit(GlobalAveragePool node) {
        return meanOfImage(node.name(), node.input(), node.params());
    }

    private Tensor meanOfImage(String name, String from, QuantParams params) {
        Tensor input = natural(from);
        Tensor result = result(name);
        launches.add(
                name,
                PoolKernels.meanOfImage(
                        input.image(), codes(input), params, result.image().pitch()),
                input,
                result);
        return result;
    }

    @Override
    public Tensor visit(Add node) {
        boolean slice = slices.of(node.name()) != null;
        Tensor left = slice ? natural(node.left()) : tensor(node.left());
        Tensor right = inLayout(node.right(), left.image());
        Tensor result = result(node.name(), alone(left.image()));
        launches.add(
                node.name(),
                ElementKernels.add(
                        left.image(),
                        codes(left),
                        right.image(),
                        codes(right),
                        result.image().pitch(),
                        node.output()),
                left,
                right,
                result);
        return result;
    }

    @Override
    public Tensor visit(Table node) {
        boolean slice = slices.of(node.name()) != null;
        Tensor input = slice ? natural(node.input()) : tensor(node.input());
        Tensor result = result(node.name(), alone(input.image()));
        launches.add(
                node.name(),
                ElementKernels.table(input.image(), result.image().pitch(), true),
                input,
                constants.add(node.table().entries()),
                result);
        return result;
    }

    @Override
    public Tensor visit(Concat node) {
        Tensor result = result(node.name());
        int offset = 0;
        for (String name : node.inputs()) {
            if (!slices.isPlaced(name, node, offset)) {
                copy(natural(name), node, result, offset);
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
        CodeTable table = CodeTable.from(value -> value, codes(part), node.params());
        launches.add(
                node.name(),
                ElementKernels.table(part.image(), result.image().pitch(), whole),
                part,
                constants.add(table.entries()),
                new Tensor(part.type(), result.buffer(), result.slice() + offset, part.layout()));
    }

    @Override
    public Tensor visit(Reshape node) {
        return tensor(node.input()).as(graph.type(node.name()));
    }

    @Override
    public Tensor visit(Move node) {
        Tensor input = tensor(node.input());
        Tensor result = result(node.name());
        MoveKernel move = MoveKernel.of(input.image(), result.image(), node.map(), codes(input));
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
        Tensor input = tensor(node.input());
        Tensor result = floats(node.name());
        launches.add(
                node.name(), ElementKernels.dequantize(input.image(), codes(input)), input, result);
        return result;
    }

    @Override
    public Tensor visit(Rectify node) {
        Tensor result = floats(node.name());
        int elements = result.type().shape().elements();
        launches.add(
                node.name(),
                ElementKernels.rectify(elements, node.function()),
                tensor(node.input()),
                result);
        return result;
    }

    private static QuantParams codes(Tensor tensor) {
        return tensor.type().codes();
    }

    private Tensor tensor(String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    private Tensor floats(String name) {
        TensorType type = graph.type(name);
        return new Tensor(type, launches.buffer(name, Port.bytes(type)), 0, null);
    }

    private Tensor result(String name) {
        return result(name, Tensor.natural(graph.type(name)));
    }

    /* In its own memory, or where a concatenation has it. */
    private Tensor result(String name, ImageLayout layout) {
        TensorType type = graph.type(name);
        Slices.Slice slice = slices.of(name);
        if (slice == null) {
            return new Tensor(type, launches.buffer(name, layout.bytes()), 0, layout);
        }
        ImageLayout whole = Tensor.natural(graph.type(slice.concat().name()));
        String buffer = launches.buffer(slice.concat().name(), whole.bytes());
        return new Tensor(type, buffer, slice.offset(), layout.withPitch(whole.pitch()));
    }

    private static ImageLayout alone(ImageLayout layout) {
        return layout.withPitch(ImageLayout.padded(layout.channels()));
    }

    private Tensor natural(String name) {
        return inLayout(name, Tensor.natural(graph.type(name)));
    }

    /* The tensor itself if only its pitch is another. */
    private Tensor inLayout(String name, ImageLayout wanted) {
        Tensor tensor = tensor(name);
        if (alone(tensor.image()).equals(alone(wanted))) {
            return tensor;
        }
        return reordered.computeIfAbsent(
                name + "\n" + alone(wanted),
                key -> {
                    ImageLayout layout = alone(wanted);
                    String buffer = launches.buffer(key, layout.bytes());
                    Tensor result = new Tensor(tensor.type(), buffer, 0, layout);
                    launches.add(
                            name, ElementKernels.reorder(tensor.image(), layout), tensor, result);
                    return result;
                });
    }
}
