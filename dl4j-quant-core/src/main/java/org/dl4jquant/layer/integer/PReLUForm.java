// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.params.PReLUParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of learned slopes of negative values: a table of codes for each channel, or for each
 * place, whose slope is a rounded weight.
 */
public final class PReLUForm implements IntegerForm {

    /** The most slopes: 16 MiB of tables. */
    private static final int MAX_SLOPES = 1 << 16;

    private static final String SHARE =
            "share them along dimensions, such as sharedAxes(2, 3) of images";

    private final PReLULayer layer;
    private final LayerTensors tensors;
    private final TableCache cache = new TableCache();

    private PReLUForm(PReLULayer layer, LayerTensors tensors) {
        this.layer = layer;
        this.tensors = tensors;
    }

    /**
     * Returns the support of a layer of learned slopes.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(PReLULayer layer) {
        Require.given(layer, "layer");
        long slopes = layer.getInputShape() == null ? 0 : slopes(layer);
        return slopes > MAX_SLOPES
                ? IntegerSupport.refused(
                        "it has "
                                + slopes
                                + " slopes, and an integer graph has at most "
                                + MAX_SLOPES
                                + " tables for them",
                        SHARE)
                : IntegerSupport.of(tensors -> new PReLUForm(layer, tensors));
    }

    /* The dimensions of an example, those that share slopes after those that number them. */
    private List<Integer> order(int rank) {
        List<Integer> order = new ArrayList<>();
        IntStream.range(0, rank).filter(axis -> !isShared(layer, axis)).forEach(order::add);
        IntStream.range(0, rank).filter(axis -> isShared(layer, axis)).forEach(order::add);
        return order;
    }

    private static int[] ofArrays(List<Integer> order) {
        return IntStream.concat(
                        IntStream.of(0), order.stream().mapToInt(dimension -> dimension + 1))
                .toArray();
    }

    /* Once a network has been made, DL4J has written 1 into the shared sizes of inputShape. */
    private static long slopes(PReLULayer layer) {
        long[] shape = layer.getInputShape();
        return IntStream.range(0, shape.length)
                .filter(axis -> !isShared(layer, axis))
                .mapToLong(axis -> shape[axis])
                .reduce(1, (left, right) -> left * right);
    }

    /* DL4J counts the batch as axis 0. */
    private static boolean isShared(PReLULayer layer, int dimension) {
        long[] shared = layer.getSharedAxes();
        return shared != null && LongStream.of(shared).anyMatch(axis -> axis == dimension + 1);
    }

    @Override
    public List<INDArray> infer(Call call, List<INDArray> inputs) {
        INDArray x = inputs.get(0);
        long[] example = Arrays.copyOfRange(x.shape(), 1, x.rank());
        if (obstacle() != null || !fits(example)) {
            return List.of();
        }
        ChannelTables tables = tables();
        INDArray y =
                call.workspaces()
                        .createUninitialized(
                                ArrayType.ACTIVATIONS, x.dataType(), x.shape(), x.ordering());
        long elements = Arrays.stream(example).reduce(1, (left, right) -> left * right);
        int[] order = ofArrays(order(example.length));
        int run = Math.toIntExact(elements / tables.tables().size());
        tables.values(x.permute(order), run, y.permute(order));
        return List.of(y);
    }

    private QuantParams argument() {
        return Objects.requireNonNull(tensors.input(0), "input");
    }

    private QuantParams output() {
        return Objects.requireNonNull(tensors.codes(TensorRole.OUTPUT), "output");
    }

    private INDArray slopes() {
        String key = PReLUParamInitializer.WEIGHT_KEY;
        return Objects.requireNonNull(tensors.parameters().get(key), key);
    }

    private ChannelTables tables() {
        float[] rounded = TableCache.rounded(tensors, PReLUParamInitializer.WEIGHT_KEY, slopes());
        double[] slopes = new double[rounded.length];
        for (int i = 0; i < slopes.length; i++) {
            slopes[i] = rounded[i];
        }
        return cache.tables(slopes, () -> functions(slopes), argument(), output());
    }

    /* Two float32 factors are exact in float64, and the table rounds to float32 once. */
    private static List<DoubleUnaryOperator> functions(double[] slopes) {
        return DoubleStream.of(slopes)
                .<DoubleUnaryOperator>mapToObj(slope -> value -> value < 0 ? value * slope : value)
                .toList();
    }

    /* Whether an example has the slopes' sizes in all dimensions that do not share them. DL4J
     * itself gives slopes to any input with as many elements. */
    private boolean fits(long[] example) {
        long[] shape = slopes().shape();
        return example.length == shape.length
                && IntStream.range(0, shape.length)
                        .allMatch(axis -> isShared(layer, axis) || example[axis] == shape[axis]);
    }

    @Override
    public IntegerSupport.@Nullable Refusal obstacle() {
        if (!tensors.isQuantized()) {
            return FloatLayers.leftInFloat(layer);
        }
        if (tensors.codes(TensorRole.OUTPUT) == null || tensors.input(0) == null) {
            return FloatLayers.because(
                    layer,
                    tensors.input(0) == null
                            ? "no quantizer makes codes of its input"
                            : "its result is not rounded to integers");
        }
        return null;
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        IntegerSupport.Refusal obstacle = obstacle();
        if (obstacle != null) {
            throw obstacle.exception();
        }
        String codes = graph.codes(InputCodes.arriving(graph, tensors, inputs.get(0)));
        Shape example = graph.type(codes).shape();
        if (!fits(example.dimensions().stream().mapToLong(size -> size).toArray())) {
            throw new IntegerRefusal(
                    "it reads "
                            + example
                            + ", and has slopes of the dimensions "
                            + Arrays.toString(slopes().shape()),
                    "give it the inputShape of the layer before it, or put a ReshapeVertex between"
                            + " them");
        }
        List<Integer> order = order(example.rank());
        boolean moved = !order.equals(IntStream.range(0, order.size()).boxed().toList());
        if (!moved) {
            return List.of(new Signal.Codes(lookedUp(graph, codes)));
        }
        IndexMap first = IndexMap.permute(example, order);
        String turned = graph.add(Move.of(graph.inner("turned"), codes, first));
        String found = lookedUp(graph.part("slopes"), turned);
        List<Integer> back = IntStream.range(0, order.size()).map(order::indexOf).boxed().toList();
        return List.of(
                new Signal.Codes(
                        graph.add(
                                Move.of(
                                        graph.name(),
                                        found,
                                        IndexMap.permute(first.shape(), back)))));
    }

    /* One node of tables, or several for parts of the codes. */
    private String lookedUp(NodeEmitter graph, String codes) {
        ChannelTables all = tables();
        int count = all.tables().size();
        if (count <= ChannelTable.MAX_TABLES) {
            return graph.add(all.node(graph.name(), codes));
        }
        Shape shape = graph.type(codes).shape();
        Shape rows = Shape.of(count, shape.elements() / count);
        String flat = graph.add(new Reshape(graph.inner("rows"), codes, rows));
        List<String> parts = new ArrayList<>();
        for (int from = 0; from < count; from += ChannelTable.MAX_TABLES) {
            int to = Math.min(count, from + ChannelTable.MAX_TABLES);
            String part = "part" + parts.size();
            IndexMap cut = IndexMap.crop(rows, 0, from, count - to);
            String own = graph.add(Move.of(graph.inner(part), flat, cut));
            ChannelTables tables =
                    new ChannelTables(all.argument(), all.output(), all.tables().subList(from, to));
            parts.add(graph.add(tables.node(graph.inner(part + "_slopes"), own)));
        }
        String joined = graph.add(new Concat(graph.inner("joined"), parts, all.output()));
        return graph.add(new Reshape(graph.name(), joined, shape));
    }
}
