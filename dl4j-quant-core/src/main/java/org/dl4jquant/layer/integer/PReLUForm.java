// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

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
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of learned slopes of negative values: a table of codes for each channel, or for each
 * place, whose slope is a rounded weight.
 */
public final class PReLUForm implements IntegerForm {

    private static final String SHARE =
            "share them along the last dimensions, such as sharedAxes(2, 3) of images";

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
        long[] shape = layer.getInputShape();
        if (shape != null && !sharesTheLast(layer)) {
            return IntegerSupport.refused(
                    "its slopes are shared by the indices of a dimension before another that does"
                            + " not share them",
                    SHARE);
        }
        long slopes = shape == null ? 0 : slopes(layer);
        return slopes > ChannelTable.MAX_TABLES
                ? IntegerSupport.refused(
                        "it has "
                                + slopes
                                + " slopes, and an integer graph has at most "
                                + ChannelTable.MAX_TABLES
                                + " tables in a node",
                        SHARE)
                : IntegerSupport.of(tensors -> new PReLUForm(layer, tensors));
    }

    /* The dimensions before the first shared one number the tables, if all after it are shared,
     * too, or have one index. */
    private static boolean sharesTheLast(PReLULayer layer) {
        long[] shape = layer.getInputShape();
        int first = 0;
        while (first < shape.length && !isShared(layer, first)) {
            first++;
        }
        return IntStream.range(first, shape.length)
                .allMatch(axis -> isShared(layer, axis) || shape[axis] == 1);
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
        tables.values(x, Math.toIntExact(elements / tables.tables().size()), y);
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
        return List.of(new Signal.Codes(graph.add(tables().node(graph.name(), codes))));
    }
}
