// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * Integer graphs of well-known networks with random weights, whose codes spread over their range.
 */
public final class Networks {

    private static final CodeRange WEIGHTS = CodeRange.narrow(8);
    private static final QuantParams ACTIVATIONS = new QuantParams(0.05f, 0, CodeRange.unsigned(8));
    private static final QuantParams SIGNED = new QuantParams(0.05f, 3, CodeRange.signed(8));

    private final IntGraph.Builder graph = IntGraph.builder();
    private final Random random = new Random(5);
    private String last = "x";

    private Networks() {}

    /**
     * {@return a LeNet for pictures of 28 x 28}
     *
     * @param bits the width of the weights
     */
    public static IntGraph leNet(int bits) {
        Networks net = new Networks().input(1, 28);
        CodeRange range = CodeRange.narrow(bits);
        net.convolution("conv1", 20, 5, 1, 0, range).maxPool("pool1", 2, 2, 0);
        net.convolution("conv2", 50, 5, 1, 0, range).maxPool("pool2", 2, 2, 0);
        net.flatten().dense("dense1", 500, range, Output.Codes.of(ACTIVATIONS));
        return net.dense("logits", 10, range, new Output.Floats()).build();
    }

    /** {@return a LeNet for images of 12 x 12, with few filters} */
    public static IntGraph smallLeNet() {
        Networks net = new Networks().input(1, 12);
        net.convolution("conv1", 8, 5, 1, 0, WEIGHTS).maxPool("pool1", 2, 2, 0);
        net.convolution("conv2", 16, 3, 1, 0, WEIGHTS).maxPool("pool2", 2, 2, 0);
        net.flatten().dense("dense1", 40, WEIGHTS, Output.Codes.of(ACTIVATIONS));
        return net.dense("logits", 10, WEIGHTS, new Output.Floats()).build();
    }

    /**
     * {@return a network of two convolutions of a small picture and a sum, and of two layers with
     * long sums}
     *
     * @param bits of the weights
     */
    public static IntGraph small(int bits) {
        CodeRange range = CodeRange.narrow(bits);
        Networks net = new Networks().input(3, 10);
        net.convolution("stem", 32, 3, 1, 1, range);
        net.basic("block", 32, 1);
        net.flatten().dense("hidden", 40, range, Output.Codes.of(ACTIVATIONS));
        return net.dense("logits", 10, range, new Output.Floats()).build();
    }

    /**
     * {@return a ResNet-18 or a smaller one of its kind}
     *
     * @param size height and width of the pictures
     * @param channels of the first stage
     * @param classes outputs
     */
    public static IntGraph resNet18(int size, int channels, int classes) {
        Networks net = new Networks().input(3, size);
        net.convolution("stem", channels, 7, 2, 3, WEIGHTS).maxPool("pool", 3, 2, 1);
        for (int stage = 0; stage < 4; stage++) {
            net.basic("s" + stage + "a", channels << stage, stage == 0 ? 1 : 2);
            net.basic("s" + stage + "b", channels << stage, 1);
        }
        return net.globalMean().dense("logits", classes, WEIGHTS, new Output.Floats()).build();
    }

    /**
     * {@return a ResNet-50}
     *
     * @param size height and width of the pictures, 224 as published
     */
    public static IntGraph resNet50(int size) {
        Networks net = new Networks().input(3, size);
        net.convolution("stem", 64, 7, 2, 3, WEIGHTS).maxPool("pool", 3, 2, 1);
        int[] blocks = {3, 4, 6, 3};
        for (int stage = 0; stage < blocks.length; stage++) {
            for (int block = 0; block < blocks[stage]; block++) {
                int stride = block == 0 && stage > 0 ? 2 : 1;
                net.bottleneck("s" + stage + "b" + block, 64 << stage, stride, block == 0);
            }
        }
        return net.globalMean().dense("logits", 1000, WEIGHTS, new Output.Floats()).build();
    }

    /**
     * {@return a network of inverted residuals, as MobileNetV2 is made of}
     *
     * @param size height and width of the pictures, 224 as published
     * @param classes outputs
     */
    public static IntGraph mobileNet(int size, int classes) {
        Networks net = new Networks().input(3, size);
        net.convolution("stem", 32, 3, 2, 1, WEIGHTS);
        net.inverted("b0", 1, 16, 1);
        int[] channels = {24, 32, 64, 96, 160, 320};
        int[] blocks = {2, 3, 4, 3, 3, 1};
        int[] strides = {2, 2, 2, 1, 2, 1};
        for (int stage = 0; stage < blocks.length; stage++) {
            for (int block = 0; block < blocks[stage]; block++) {
                int stride = block == 0 ? strides[stage] : 1;
                net.inverted("s" + stage + "b" + block, 6, channels[stage], stride);
            }
        }
        net.convolution("head", 1280, 1, 1, 0, WEIGHTS);
        return net.globalMean().dense("logits", classes, WEIGHTS, new Output.Floats()).build();
    }

    /**
     * {@return inputs of a normal distribution}
     *
     * @param of the graph
     * @param examples how many
     */
    public static Map<String, Batch.Floats> inputs(IntGraph of, int examples) {
        Shape shape = of.inputs().get(0).shape();
        Random random = new Random(9);
        float[] values = new float[examples * shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 2;
        }
        return Map.of("x", Batch.Floats.of(examples, shape, values));
    }

    private Networks input(int channels, int size) {
        graph.add(new Input("x", Shape.of(channels, size, size)));
        return add(new Quantize("codes", "x", SIGNED));
    }

    private Networks basic(String name, int channels, int stride) {
        String before = last;
        boolean project = stride > 1;
        convolution(name + "1", channels, 3, stride, 1, WEIGHTS);
        convolution(name + "2", channels, 3, 1, 1, WEIGHTS);
        return residual(name, before, channels, stride, project);
    }

    private Networks bottleneck(String name, int width, int stride, boolean project) {
        String before = last;
        convolution(name + "1", width, 1, 1, 0, WEIGHTS);
        convolution(name + "2", width, 3, stride, 1, WEIGHTS);
        convolution(name + "3", 4 * width, 1, 1, 0, WEIGHTS);
        return residual(name, before, 4 * width, stride, project);
    }

    private Networks inverted(String name, int expansion, int channels, int stride) {
        String before = last;
        int in = graph.type(last).shape().size(0);
        if (expansion > 1) {
            convolution(name + "1", expansion * in, 1, 1, 0, WEIGHTS);
        }
        depthwise(name + "2", stride);
        convolution(name + "3", channels, 1, 1, 0, WEIGHTS);
        return stride == 1 && in == channels ? residual(name, before, channels, 1, false) : this;
    }

    private void depthwise(String name, int stride) {
        int channels = graph.type(last).shape().size(0);
        Window window =
                new Window(
                        Window.Extent.square(3),
                        Window.Extent.square(stride),
                        Window.Extent.ONE,
                        Window.Extent.ONE,
                        Window.Extent.ONE);
        WeightTensor weights = weights(Shape.of(channels, 1, 3, 3), WEIGHTS);
        add(new Convolution(name, last, weights, window, channels, Output.Codes.of(ACTIVATIONS)));
    }

    private Networks residual(
            String name, String before, int channels, int stride, boolean project) {
        String branch = last;
        String shortcut = before;
        if (project) {
            last = before;
            convolution(name + "p", channels, 1, stride, 0, WEIGHTS);
            shortcut = last;
        }
        return add(new Add(name + "+", shortcut, branch, Output.Codes.of(ACTIVATIONS)));
    }

    private Networks convolution(
            String name, int filters, int kernel, int stride, int padding, CodeRange range) {
        int channels = graph.type(last).shape().size(0);
        Window.Extent around = Window.Extent.square(padding);
        Window window =
                new Window(
                        Window.Extent.square(kernel),
                        Window.Extent.square(stride),
                        Window.Extent.ONE,
                        around,
                        around);
        return add(
                new Convolution(
                        name,
                        last,
                        weights(Shape.of(filters, channels, kernel, kernel), range),
                        window,
                        1,
                        Output.Codes.of(ACTIVATIONS)));
    }

    private Networks dense(String name, int units, CodeRange range, Output output) {
        int channels = graph.type(last).shape().elements();
        return add(new Dense(name, last, weights(Shape.of(units, channels), range), output));
    }

    private Networks maxPool(String name, int kernel, int stride, int padding) {
        Window.Extent around = Window.Extent.square(padding);
        return add(
                new MaxPool(
                        name,
                        last,
                        new Window(
                                Window.Extent.square(kernel),
                                Window.Extent.square(stride),
                                Window.Extent.ONE,
                                around,
                                around)));
    }

    private Networks globalMean() {
        add(new GlobalAveragePool("mean", last, ACTIVATIONS));
        return flatten();
    }

    private Networks flatten() {
        int elements = graph.type(last).shape().elements();
        return add(new Reshape("flat", last, Shape.of(elements)));
    }

    private Networks add(IntNode node) {
        graph.add(node);
        last = node.name();
        return this;
    }

    private IntGraph build() {
        return graph.build(List.of(last));
    }

    /* Scales for which the variance of what comes in is that of what goes out. */
    private WeightTensor weights(Shape shape, CodeRange range) {
        byte[] codes = new byte[shape.elements()];
        int span = range.max() - range.min() + 1;
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (range.min() + random.nextInt(span));
        }
        int each = shape.elements() / shape.size(0);
        float scale = (float) (2 / (range.max() * Math.sqrt(each)));
        float[] scales = new float[shape.size(0)];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = scale * (0.75f + random.nextFloat() / 2);
        }
        int[] bias = new int[shape.size(0)];
        Arrays.setAll(bias, i -> (int) (random.nextGaussian() * range.max() * 20));
        return WeightTensor.of(shape, range, codes, scales, bias);
    }
}
