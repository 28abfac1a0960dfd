// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Elementwise;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Lookup;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeOperation;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeRows;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Draws single nodes that fit a given input. */
final class RandomNodes {

    private static final int[] CHANNELS = {1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 32, 33};
    private static final int MAX_WEIGHTS = 8_000;
    private static final int MAX_BIAS = 2_000;
    private static final int MAX_MOVED = 12_000;
    private static final int MAX_TABLES = 500;

    private final Random random;

    RandomNodes(Random random) {
        this.random = random;
    }

    Random random() {
        return random;
    }

    Shape inputShape() {
        if (random.nextInt(6) == 0) {
            return Shape.of(1 + random.nextInt(70));
        }
        return Shape.of(channels(), 1 + random.nextInt(13), 1 + random.nextInt(13));
    }

    int channels() {
        return CHANNELS[random.nextInt(CHANNELS.length)];
    }

    OutputFunction.Rectifier rectifier() {
        float number = (float) random.nextGaussian();
        return switch (random.nextInt(6)) {
            case 0 -> new OutputFunction.Clamp(0, Float.POSITIVE_INFINITY);
            case 1 -> new OutputFunction.Clamp(Float.NEGATIVE_INFINITY, number);
            case 2 -> new OutputFunction.Clamp(number, number + random.nextFloat());
            case 3 -> new OutputFunction.Slope(0, number);
            case 4 -> new OutputFunction.Slope(number, 0);
            default -> new OutputFunction.Slope(number, random.nextFloat());
        };
    }

    /** One or two last functions of a result. */
    List<OutputFunction> functions(Shape shape) {
        List<OutputFunction> functions = new ArrayList<>();
        do {
            functions.add(
                    switch (random.nextInt(3)) {
                        case 0 -> rectifier();
                        case 1 -> new OutputFunction.Softmax(random.nextInt(shape.rank()));
                        default -> pointwise();
                    });
        } while (functions.size() < 2 && random.nextInt(3) == 0);
        return functions;
    }

    private OutputFunction pointwise() {
        ElementwiseFunction.Fixed[] all = ElementwiseFunction.Fixed.values();
        float number = random.nextFloat();
        return new OutputFunction.Pointwise(
                switch (random.nextInt(5)) {
                    case 0 -> new ElementwiseFunction.Elu(number);
                    case 1 -> new ElementwiseFunction.ThresholdedRelu(number);
                    case 2 -> new ElementwiseFunction.PiecewiseLinear(6, number, -number);
                    default -> all[random.nextInt(all.length)];
                });
    }

    Shape reshaped(Shape shape) {
        int elements = shape.elements();
        int first = divisor(elements);
        int second = divisor(elements / first);
        return switch (random.nextInt(3)) {
            case 0 -> Shape.of(elements);
            case 1 -> Shape.of(first, elements / first);
            default -> Shape.of(first, second, elements / first / second);
        };
    }

    private int divisor(int number) {
        int divisor = 1 + random.nextInt(number);
        while (number % divisor != 0) {
            divisor--;
        }
        return divisor;
    }

    /** A scale from about 0.01 to 1; every third a power of two, where ties are frequent. */
    float scale() {
        if (random.nextInt(3) == 0) {
            return Math.scalb(1f, -random.nextInt(8));
        }
        return (float) Math.exp(-4.5 * random.nextDouble());
    }

    float near(float scale) {
        return switch (random.nextInt(3)) {
            case 0 -> scale;
            case 1 -> scale * Math.scalb(1f, random.nextInt(4) - 2);
            default -> scale * (float) Math.exp(random.nextGaussian() / 2);
        };
    }

    QuantParams params(float scale) {
        int bits = random.nextBoolean() ? 8 : 2 + random.nextInt(7);
        boolean signed = random.nextInt(3) == 0;
        CodeRange range = signed ? CodeRange.signed(bits) : CodeRange.unsigned(bits);
        int codes = range.max() - range.min() + 1;
        int zeroPoint = random.nextInt(3) == 0 ? range.min() + random.nextInt(codes) : 0;
        return new QuantParams(scale, zeroPoint, range);
    }

    IntNode convolution(String name, String input, TensorType type, boolean floats) {
        Shape image = type.shape();
        Window window = window(image, true);
        int in = image.size(0);
        int groups = random.nextInt(3) == 0 ? (random.nextBoolean() ? in : divisor(in)) : 1;
        int perGroup = 1 + random.nextInt(3);
        int weightsOfOne = in / groups * window.kernel().height() * window.kernel().width();
        int out = groups > 1 ? groups * perGroup : Math.min(channels(), MAX_WEIGHTS / weightsOfOne);
        out = Math.max(out, 1);
        Shape shape = Shape.of(out, in / groups, window.kernel().height(), window.kernel().width());
        WeightTensor weights = weights(shape);
        return new Convolution(
                name, input, weights, window, groups, output(weights, type.codes(), floats));
    }

    IntNode dense(String name, String input, TensorType type, boolean floats) {
        int in = type.shape().elements();
        int out = Math.max(1, Math.min(channels(), MAX_WEIGHTS / in));
        WeightTensor weights = weights(Shape.of(out, in));
        return new Dense(name, input, weights, output(weights, type.codes(), floats));
    }

    WeightTensor weights(Shape shape) {
        CodeRange range = CodeRange.narrow(random.nextBoolean() ? 8 : 2 + random.nextInt(7));
        boolean extreme = random.nextInt(5) == 0;
        byte[] codes = new byte[shape.elements()];
        for (int i = 0; i < codes.length; i++) {
            int code = random.nextInt(2 * range.max() + 1) - range.max();
            codes[i] = (byte) (extreme ? (code < 0 ? range.min() : range.max()) : code);
        }
        float[] scales = new float[shape.size(0)];
        int[] bias = new int[shape.size(0)];
        float common = scale();
        for (int channel = 0; channel < scales.length; channel++) {
            scales[channel] = near(common);
            bias[channel] = random.nextInt(2 * MAX_BIAS + 1) - MAX_BIAS;
        }
        return WeightTensor.of(shape, range, codes, scales, bias);
    }

    private Output output(WeightTensor weights, QuantParams input, boolean floats) {
        if (floats) {
            return new Output.Floats();
        }
        double spread =
                Math.sqrt(weights.weightsPerChannel())
                        * (input.range().max() - input.range().min())
                        / 3.0
                        * weights.range().max()
                        / 2.0;
        return bounded(params(near(sumScale(weights, input, spread))));
    }

    private static float sumScale(WeightTensor weights, QuantParams input, double spread) {
        return (float) (input.scale() * weights.scale(0) * Math.max(spread, 1) / 60);
    }

    /** Half of the time a narrower clamp, as of ReLU and ReLU6. */
    Output.Codes bounded(QuantParams params) {
        CodeRange range = params.range();
        int zero = Math.min(params.zeroPoint(), range.max() - 1);
        return switch (random.nextInt(4)) {
            case 0 -> new Output.Codes(params, new CodeRange(zero, range.max()));
            case 1 -> {
                int most = zero + 1 + random.nextInt(range.max() - zero);
                yield new Output.Codes(params, new CodeRange(zero, most));
            }
            default -> Output.Codes.of(params);
        };
    }

    IntNode maxPool(String name, String input, Shape image) {
        return new MaxPool(name, input, window(image, false));
    }

    IntNode averagePool(String name, String input, TensorType type) {
        Window window =
                random.nextInt(5) == 0
                        ? Window.of(
                                new Extent(type.shape().size(1), type.shape().size(2)), Extent.ONE)
                        : window(type.shape(), false);
        return new AveragePool(
                name, input, window, random.nextBoolean(), params(near(type.codes().scale())));
    }

    IntNode globalAverage(String name, String input, TensorType type) {
        return new GlobalAveragePool(name, input, params(near(type.codes().scale())));
    }

    IntNode sum(String name, String left, QuantParams first, String right, QuantParams second) {
        float larger = Math.max(first.scale(), second.scale());
        return new Add(name, left, right, bounded(params(near(larger))));
    }

    /** The first input, and some that fit it; a scale that suits the operation's results. */
    IntNode elementwise(
            String name, String first, List<String> fitting, Function<String, QuantParams> params) {
        CodeOperation.Kind[] kinds = CodeOperation.Kind.values();
        CodeOperation.Kind kind = kinds[random.nextInt(kinds.length)];
        int tensors = random.nextBoolean() ? 2 : 2 + random.nextInt(4);
        List<String> inputs = new ArrayList<>(List.of(first));
        inputs.add(fitting.get(random.nextInt(fitting.size())));
        // Any third must fit what these two make.
        while (inputs.size() < (kind.takes(tensors) ? tensors : 2)) {
            inputs.add(inputs.get(random.nextInt(2)));
        }
        if (inputs.size() == 2 && random.nextBoolean()) {
            Collections.reverse(inputs);
        }
        float scale = params.apply(inputs.get(0)).scale();
        for (String input : inputs.subList(1, inputs.size())) {
            float other = params.apply(input).scale();
            scale = kind == CodeOperation.Kind.PRODUCT ? scale * other * 40 : (scale + other) / 2;
        }
        return new Elementwise(name, kind, inputs, bounded(params(near(scale))));
    }

    IntNode table(String name, String input, QuantParams from) {
        QuantParams to = params(near(from.scale()));
        return switch (random.nextInt(3)) {
            case 0 -> new Table(name, input, CodeTable.from(v -> v, from, to), to);
            case 1 -> new Table(name, input, CodeTable.from(Math::tanh, from, to), to);
            default -> new Table(name, input, CodeTable.from(v -> v < 0 ? v / 8 : v, from, to), to);
        };
    }

    IntNode lookup(String name, String input) {
        QuantParams params = params(scale());
        byte[] containers = new byte[(1 + random.nextInt(20)) * channels()];
        int width = divisor(containers.length);
        int codes = params.range().max() - params.range().min() + 1;
        for (int i = 0; i < containers.length; i++) {
            containers[i] = (byte) (params.range().min() + random.nextInt(codes));
        }
        return new Lookup(name, input, CodeRows.of(width, containers), params);
    }

    /** A slope for each index of the first dimensions, as a PReLU has. */
    IntNode channelTable(String name, String input, TensorType type) {
        QuantParams from = type.codes();
        QuantParams to = params(near(from.scale()));
        int count = 1;
        for (int size : type.shape().dimensions()) {
            if (count > 1 && (count * size > MAX_TABLES || random.nextInt(3) != 0)) {
                break;
            }
            count *= size;
        }
        List<CodeTable> tables = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double slope = random.nextGaussian();
            tables.add(CodeTable.from(v -> v < 0 ? v * slope : v, from, to));
        }
        return new ChannelTable(name, input, tables, to);
    }

    IntNode recurrent(String name, String input, TensorType type) {
        return new RandomRecurrent(random, this).node(name, input, type);
    }

    /** Codes of the same example in other places; images often stay images. */
    IntNode move(String name, String input, Shape shape) {
        Shape view = random.nextInt(3) == 0 ? split(shape) : shape;
        List<Integer> order = new ArrayList<>();
        for (int axis = 0; axis < view.rank(); axis++) {
            order.add(axis);
        }
        if (random.nextInt(3) == 0) {
            Collections.shuffle(order, random);
        }
        List<AxisIndices> axes = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        int room = MAX_MOVED / view.elements();
        for (int source : order) {
            AxisIndices indices = indices(view.size(source), room);
            axes.add(indices);
            sizes.add(indices.size());
            room = Math.max(1, room * view.size(source) / indices.size());
        }
        Shape gathered = new Shape(sizes);
        boolean image = gathered.isImage() && random.nextInt(4) != 0;
        IndexMap map = new IndexMap(view, order, axes, image ? gathered : reshaped(gathered));
        return Move.of(name, input, map);
    }

    /* One axis as two, as blocks of pixels are. */
    private Shape split(Shape shape) {
        List<Integer> sizes = new ArrayList<>(shape.dimensions());
        int axis = random.nextInt(sizes.size());
        int inner = divisor(sizes.get(axis));
        sizes.set(axis, sizes.get(axis) / inner);
        sizes.add(axis + 1, inner);
        return new Shape(sizes);
    }

    /** At most about {@code room} times as many as the axis has. */
    private AxisIndices indices(int size, int room) {
        int more = Math.min(room, 3);
        int begin = random.nextInt(size);
        return switch (random.nextInt(8)) {
            case 0 -> AxisIndices.range(begin, begin + 1 + random.nextInt(size - begin));
            case 1 -> AxisIndices.reversed(size);
            case 2 ->
                    more > 1
                            ? AxisIndices.padded(size, random.nextInt(more), random.nextInt(more))
                            : AxisIndices.identity(size);
            case 3 -> AxisIndices.repeated(size, 1 + random.nextInt(Math.max(more, 1)));
            case 4 -> AxisIndices.of(random.ints(1 + random.nextInt(size), -1, size).toArray());
            default -> AxisIndices.identity(size);
        };
    }

    private Window window(Shape image, boolean dilated) {
        int[] rows = axis(image.size(1), dilated);
        int[] columns = axis(image.size(2), dilated);
        return new Window(
                new Extent(rows[0], columns[0]),
                new Extent(rows[1], columns[1]),
                new Extent(rows[2], columns[2]),
                new Extent(rows[3], columns[3]),
                new Extent(rows[4], columns[4]));
    }

    /** Kernel, stride, dilation, padding before and after; they fit an image of this size. */
    private int[] axis(int size, boolean dilated) {
        int kernel = 1 + random.nextInt(Math.min(size, 5));
        int dilation = dilated && kernel > 1 && random.nextInt(4) == 0 ? 2 : 1;
        int reach = dilation * (kernel - 1) + 1;
        int before = random.nextInt(kernel);
        int after = random.nextInt(kernel);
        if (size + before + after < reach) {
            dilation = 1;
        }
        return new int[] {kernel, 1 + random.nextInt(3), dilation, before, after};
    }
}
