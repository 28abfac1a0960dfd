// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.floats;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.island.FloatOperator.Attribute;
import org.dl4jquant.graph.island.FloatWriter;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.layer.integer.ImageWindow;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The float arithmetic of DL4J's layers and vertices. */
public final class FloatForms {

    private static final int CHANNEL_AXIS = 1;

    private FloatForms() {}

    /** Writes sums; a function follows. */
    private record Sums(Writing writing, @Nullable IActivation function) implements FloatForm {
        @Override
        public String write(FloatWriter target, Reading reading) {
            return writing.write(target, reading);
        }
    }

    /** Writes operators. */
    private interface Writing {
        String write(FloatWriter target, FloatForm.Reading reading);
    }

    /**
     * Returns the form of a dense layer, or of an output layer.
     *
     * @param function its activation function
     * @return the form
     */
    public static FloatForm dense(IActivation function) {
        return new Sums(FloatForms::dense, Require.given(function, "function"));
    }

    private static String dense(FloatWriter target, FloatForm.Reading reading) {
        Require.argument(
                reading.shapes().get(0).rank() == 1,
                "it reads examples of shape %s; only vectors have float operators",
                reading.shapes().get(0));
        INDArray weight = parameter(reading, DefaultParamInitializer.WEIGHT_KEY);
        String product =
                target.operator(
                        "MatMul",
                        List.of(
                                reading.input(),
                                target.constant(
                                        "weight", RowMajor.floats(weight), weight.shape())));
        return biased(target, reading, product, 1);
    }

    /* One value for each channel, along the first dimension of an example. */
    private static String biased(
            FloatWriter target, FloatForm.Reading reading, String values, int rank) {
        INDArray bias = reading.parameters().get(DefaultParamInitializer.BIAS_KEY);
        return bias == null
                ? values
                : target.operator(
                        "Add",
                        List.of(values, perChannel(target, "bias", RowMajor.floats(bias), rank)));
    }

    /**
     * Adds a constant of one value for each channel.
     *
     * @param target takes it
     * @param part a word for it
     * @param values one for each channel
     * @param rank the number of dimensions of an example, whose first one is the channels
     * @return its name
     */
    public static String perChannel(FloatWriter target, String part, float[] values, int rank) {
        long[] dimensions = LongStream.generate(() -> 1).limit(rank).toArray();
        dimensions[0] = values.length;
        return target.constant(part, values, dimensions);
    }

    private static INDArray parameter(FloatForm.Reading reading, String key) {
        INDArray found = reading.parameters().get(key);
        Require.argument(found != null, "it has no parameter '%s'", key);
        return Objects.requireNonNull(found);
    }

    private static void requireChannelsFirst(CNN2DFormat format) {
        Require.argument(
                format == CNN2DFormat.NCHW,
                "its images have the channels last; only the format NCHW has float operators");
    }

    /**
     * Returns the form of a convolution of images.
     *
     * @param layer its configuration
     * @return the form
     */
    public static FloatForm convolution(ConvolutionLayer layer) {
        Require.given(layer, "layer");
        return new Sums(
                (target, reading) -> {
                    requireChannelsFirst(layer.getCnn2dDataFormat());
                    INDArray weight = parameter(reading, DefaultParamInitializer.WEIGHT_KEY);
                    Window window = ImageWindow.of(layer).over(reading.shapes().get(0));
                    List<Attribute> attributes = window(window);
                    attributes.add(
                            Attribute.of(
                                    "dilations",
                                    pair(window.dilation().height(), window.dilation().width())));
                    String sums =
                            target.operator(
                                    "Conv",
                                    List.of(
                                            reading.input(),
                                            target.constant(
                                                    "weight",
                                                    RowMajor.floats(weight),
                                                    weight.shape())),
                                    attributes.toArray(Attribute[]::new));
                    return biased(target, reading, sums, Shape.IMAGE_RANK);
                },
                layer.getActivationFn());
    }

    private static List<Attribute> window(Window window) {
        return new ArrayList<>(
                List.of(
                        Attribute.of(
                                "kernel_shape",
                                pair(window.kernel().height(), window.kernel().width())),
                        Attribute.of(
                                "strides", pair(window.stride().height(), window.stride().width())),
                        Attribute.of(
                                "pads",
                                List.of(
                                        (long) window.before().height(),
                                        (long) window.before().width(),
                                        (long) window.after().height(),
                                        (long) window.after().width()))));
    }

    private static List<Long> pair(long height, long width) {
        return List.of(height, width);
    }

    /**
     * Returns the form of a batch normalization, with its running statistics.
     *
     * @param layer its configuration
     * @return the form
     */
    public static FloatForm normalization(BatchNormalization layer) {
        Require.given(layer, "layer");
        return new Sums(
                (target, reading) -> {
                    int rank = reading.result().rank();
                    Require.argument(
                            rank == 1 || layer.getCnn2DFormat() == CNN2DFormat.NCHW,
                            "its images have the channels last; only the format NCHW has float"
                                    + " operators");
                    float[] factor = factors(layer, reading.parameters());
                    float[] shift = shifts(layer, reading.parameters(), factor);
                    return line(target, reading.input(), factor, shift, rank);
                },
                null);
    }

    /**
     * Writes a line of each channel.
     *
     * @param target takes the operators
     * @param input the values
     * @param factor one for each channel
     * @param shift one for each channel
     * @param rank the number of dimensions of an example, whose first one is the channels
     * @return the name of the result
     */
    public static String line(
            FloatWriter target, String input, float[] factor, float[] shift, int rank) {
        String scaled =
                target.operator("Mul", List.of(input, perChannel(target, "factor", factor, rank)));
        return target.operator("Add", List.of(scaled, perChannel(target, "shift", shift, rank)));
    }

    private static float[] factors(BatchNormalization layer, Map<String, INDArray> parameters) {
        INDArray log = parameters.get(BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
        float[] spread =
                RowMajor.floats(
                        log == null
                                ? required(
                                        parameters, BatchNormalizationParamInitializer.GLOBAL_VAR)
                                : log);
        INDArray gamma = parameters.get(BatchNormalizationParamInitializer.GAMMA);
        float[] gammas = gamma == null ? null : RowMajor.floats(gamma);
        float[] factors = new float[spread.length];
        for (int channel = 0; channel < factors.length; channel++) {
            double variance =
                    log == null ? spread[channel] : StrictMath.pow(10, 2 * spread[channel]);
            double scale = gammas == null ? layer.getGamma() : gammas[channel];
            factors[channel] = (float) (scale / Math.sqrt(variance + layer.getEps()));
        }
        return factors;
    }

    private static INDArray required(Map<String, INDArray> parameters, String key) {
        return Objects.requireNonNull(parameters.get(key), key);
    }

    private static float[] shifts(
            BatchNormalization layer, Map<String, INDArray> parameters, float[] factor) {
        float[] mean =
                RowMajor.floats(
                        required(parameters, BatchNormalizationParamInitializer.GLOBAL_MEAN));
        INDArray beta = parameters.get(BatchNormalizationParamInitializer.BETA);
        float[] betas = beta == null ? null : RowMajor.floats(beta);
        float[] shifts = new float[factor.length];
        for (int channel = 0; channel < shifts.length; channel++) {
            double offset = betas == null ? layer.getBeta() : betas[channel];
            shifts[channel] = (float) (offset - (double) mean[channel] * factor[channel]);
        }
        return shifts;
    }

    /**
     * Returns the form of a layer that only applies a function.
     *
     * @param function the function
     * @return the form
     */
    public static FloatForm function(IActivation function) {
        return new Sums((target, reading) -> reading.input(), Require.given(function, "function"));
    }

    /**
     * Returns the form of a pool of windows of images.
     *
     * @param layer its configuration
     * @return the form
     */
    public static FloatForm pool(SubsamplingLayer layer) {
        Require.given(layer, "layer");
        return new Sums(
                (target, reading) -> {
                    requireChannelsFirst(layer.getCnn2dDataFormat());
                    Window window = ImageWindow.of(layer).over(reading.shapes().get(0));
                    List<Attribute> attributes = window(window);
                    boolean most = layer.getPoolingType() == PoolingType.MAX;
                    Require.argument(
                            most || layer.getPoolingType() == PoolingType.AVG,
                            "it is a pool of %s; only those of MAX and AVG have float operators",
                            layer.getPoolingType());
                    Require.argument(
                            most || window.dilation().equals(Window.Extent.ONE),
                            "it is a dilated mean, which has no float operators");
                    attributes.add(
                            most
                                    ? Attribute.of(
                                            "dilations",
                                            pair(
                                                    window.dilation().height(),
                                                    window.dilation().width()))
                                    : Attribute.of(
                                            "count_include_pad",
                                            layer.isAvgPoolIncludePadInDivisor() ? 1 : 0));
                    return target.operator(
                            most ? "MaxPool" : "AveragePool",
                            List.of(reading.input()),
                            attributes.toArray(Attribute[]::new));
                },
                null);
    }

    /**
     * Returns the form of a pool of whole images or sequences.
     *
     * @param layer its configuration
     * @return the form
     */
    public static FloatForm globalPool(GlobalPoolingLayer layer) {
        Require.given(layer, "layer");
        return new Sums(
                (target, reading) -> {
                    int rank = reading.shapes().get(0).rank();
                    Require.argument(
                            coversAll(layer.getPoolingDimensions(), rank)
                                    && layer.isCollapseDimensions()
                                    && layer.getPoolingType() != PoolingType.PNORM
                                    && reading.result().size(0) == reading.shapes().get(0).size(0),
                            "only pools of MAX, AVG and SUM over all that follows the channels,"
                                    + " which come first, have float operators");
                    List<Long> axes = LongStream.rangeClosed(2, rank).boxed().toList();
                    PoolingType type = layer.getPoolingType();
                    if (type == PoolingType.SUM) {
                        long places = 1;
                        for (int axis = 1; axis < rank; axis++) {
                            places *= reading.shapes().get(0).size(axis);
                        }
                        String mean = reduced(target, "ReduceMean", reading.input(), axes);
                        return target.operator(
                                "Mul",
                                List.of(mean, target.constant("places", new float[] {places})));
                    }
                    return reduced(
                            target,
                            type == PoolingType.MAX ? "ReduceMax" : "ReduceMean",
                            reading.input(),
                            axes);
                },
                null);
    }

    private static boolean coversAll(int @Nullable [] dimensions, int rank) {
        return dimensions == null
                || Arrays.equals(dimensions, IntStream.rangeClosed(2, rank).toArray());
    }

    private static String reduced(
            FloatWriter target, String operator, String input, List<Long> axes) {
        return target.operator(
                operator, List.of(input), Attribute.of("axes", axes), Attribute.of("keepdims", 0));
    }

    /**
     * Returns the form of a vertex that combines tensors place by place.
     *
     * @param vertex its configuration
     * @return the form
     */
    public static FloatForm combination(ElementWiseVertex vertex) {
        String operator =
                switch (Require.given(vertex, "vertex").getOp()) {
                    case Add -> "Sum";
                    case Average -> "Mean";
                    case Max -> "Max";
                    case Product -> "Mul";
                    case Subtract -> "Sub";
                };
        boolean many = List.of("Sum", "Mean", "Max").contains(operator);
        return new Sums(
                (target, reading) -> {
                    if (many) {
                        return target.operator(operator, reading.inputs());
                    }
                    String result = reading.input();
                    for (String next : reading.inputs().subList(1, reading.inputs().size())) {
                        result = target.operator(operator, List.of(result, next));
                    }
                    return result;
                },
                null);
    }

    /**
     * Returns the form of a vertex that concatenates tensors.
     *
     * @param vertex its configuration
     * @return the form
     */
    public static FloatForm concatenation(MergeVertex vertex) {
        int axis = Require.given(vertex, "vertex").getMergeAxis();
        return new Sums(
                (target, reading) -> {
                    Require.argument(
                            axis == CHANNEL_AXIS,
                            "it merges along axis %d; only channels that come first, axis 1, have"
                                    + " float operators",
                            axis);
                    return target.operator(
                            "Concat", reading.inputs(), Attribute.of("axis", CHANNEL_AXIS));
                },
                null);
    }
}
