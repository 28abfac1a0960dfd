// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.dl4jquant.lower.KerasOptions.GLOROT;
import static org.dl4jquant.lower.KerasOptions.ZEROS;
import static org.dl4jquant.lower.KerasOptions.batchShape;
import static org.dl4jquant.lower.KerasOptions.dense;
import static org.dl4jquant.lower.KerasOptions.options;
import static org.dl4jquant.lower.KerasOptions.recurrent;
import static org.dl4jquant.lower.KerasOptions.steps;
import static org.dl4jquant.lower.KerasOptions.with;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.point;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Models of Keras with random weights; their options are those that Keras writes. */
final class KerasModels {

    /** Number of classes of each model. */
    static final int CLASSES = 3;

    private final Random random;
    private final boolean last;

    /**
     * A maker of models.
     *
     * @param seed of the weights; the same for both formats
     * @param last whether images have their channels last
     */
    KerasModels(long seed, boolean last) {
        this.random = new Random(seed);
        this.last = last;
    }

    private String format() {
        return last ? "channels_last" : "channels_first";
    }

    /** {@return the axis of the channels, of batches} */
    private int axis() {
        return last ? 3 : 1;
    }

    private INDArray weights(long... shape) {
        INDArray array = Nd4j.create(shape);
        double fanIn = Math.max(1, array.length() / (double) shape[shape.length - 1]);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, random.nextGaussian() / Math.sqrt(fanIn));
        }
        return array;
    }

    /* Of a convolution of images. DL4J reads those of channels_first as Theano has them: outputs and
     * inputs first, and turned by 180 degrees. */
    private INDArray kernel(int size, int in, int out) {
        INDArray kernel = weights(size, size, in, out);
        if (last) {
            return kernel;
        }
        INDArray turned = Nd4j.create(out, in, size, size);
        for (int row = 0; row < size; row++) {
            for (int column = 0; column < size; column++) {
                turned.get(all(), all(), point(size - 1 - row), point(size - 1 - column))
                        .assign(kernel.get(point(row), point(column), all(), all()).transpose());
            }
        }
        return turned;
    }

    private INDArray above(double least, long... shape) {
        INDArray array = Nd4j.create(shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, least + random.nextDouble());
        }
        return array;
    }

    private static Map<String, INDArray> named(Object... namesAndArrays) {
        Map<String, INDArray> weights = new LinkedHashMap<>();
        for (int i = 0; i < namesAndArrays.length; i += 2) {
            weights.put((String) namesAndArrays[i], (INDArray) namesAndArrays[i + 1]);
        }
        return weights;
    }

    private Map<String, Object> window(int size, int stride, String padding) {
        return options(
                "kernel_size", List.of(size, size),
                "strides", List.of(stride, stride),
                "padding", padding,
                "dilation_rate", List.of(1, 1),
                "data_format", format(),
                "use_bias", true,
                "bias_initializer", ZEROS);
    }

    private void convolution(
            KerasFile file,
            String name,
            int in,
            int out,
            int size,
            String activation,
            String... of) {
        file.layer(
                "Conv2D",
                name,
                with(
                        window(size, 1, "same"),
                        "filters",
                        out,
                        "activation",
                        activation,
                        "kernel_initializer",
                        GLOROT),
                named("kernel", kernel(size, in, out), "bias", weights(out)),
                of);
    }

    private void pool(KerasFile file, String type, String name, int size, String... of) {
        file.layer(
                type,
                name,
                options(
                        "pool_size", List.of(size, size),
                        "strides", List.of(size, size),
                        "padding", "valid",
                        "data_format", format()),
                Map.of(),
                of);
    }

    private void normalization(KerasFile file, String name, int channels, String... of) {
        file.layer(
                "BatchNormalization",
                name,
                options(
                        "axis",
                        List.of(axis()),
                        "momentum",
                        0.99,
                        "epsilon",
                        0.001,
                        "center",
                        true,
                        "scale",
                        true,
                        "beta_initializer",
                        ZEROS,
                        "gamma_initializer",
                        ZEROS,
                        "moving_mean_initializer",
                        ZEROS,
                        "moving_variance_initializer",
                        ZEROS),
                named(
                        "gamma", above(0.5, channels),
                        "beta", weights(channels),
                        "moving_mean", weights(channels),
                        "moving_variance", above(0.5, channels)),
                of);
    }

    private void relu(KerasFile file, String name, Double max, double slope, String... of) {
        file.layer(
                "ReLU",
                name,
                options("max_value", max, "negative_slope", slope, "threshold", 0.0),
                Map.of(),
                of);
    }

    /**
     * {@return a network as of phones: depthwise and separable convolutions, batch normalization,
     * ReLU6, sums, concatenation, and all that moves elements}
     *
     * @param size height and width of its images, even
     */
    KerasFile mobile(int size) {
        KerasFile file = new KerasFile();
        file.layer(
                "InputLayer",
                "in",
                options(
                        "batch_input_shape",
                        last ? batchShape(size, size, 2) : batchShape(2, size, size),
                        "data_format",
                        format()),
                Map.of());
        convolution(file, "first", 2, 4, 3, "linear", "in");
        normalization(file, "norm", 4, "first");
        relu(file, "six", 6.0, 0, "norm");
        file.layer(
                "DepthwiseConv2D",
                "dw",
                with(
                        window(3, 1, "same"),
                        "depth_multiplier",
                        2,
                        "activation",
                        "linear",
                        "depthwise_initializer",
                        GLOROT),
                named("depthwise_kernel", weights(3, 3, 4, 2), "bias", weights(8)),
                "six");
        relu(file, "relu", null, 0, "dw");
        file.layer(
                "SeparableConv2D",
                "sep",
                with(
                        window(3, 1, "same"),
                        "filters",
                        6,
                        "depth_multiplier",
                        1,
                        "activation",
                        "linear",
                        "depthwise_initializer",
                        GLOROT,
                        "pointwise_initializer",
                        GLOROT),
                named(
                        "depthwise_kernel", weights(3, 3, 8, 1),
                        "pointwise_kernel", weights(1, 1, 8, 6),
                        "bias", weights(6)),
                "relu");
        convolution(file, "beside", 8, 6, 1, "linear", "relu");
        file.layer("Add", "sum", Map.of(), Map.of(), "sep", "beside");
        relu(file, "leaky", null, 0.25, "sum");
        file.layer("Concatenate", "both", options("axis", axis()), Map.of(), "leaky", "beside");
        file.layer(
                "ZeroPadding2D",
                "padded",
                options("padding", List.of(List.of(1, 0), List.of(1, 2)), "data_format", format()),
                Map.of(),
                "both");
        file.layer(
                "Cropping2D",
                "cropped",
                options("cropping", List.of(List.of(0, 1), List.of(1, 2)), "data_format", format()),
                Map.of(),
                "padded");
        file.layer(
                "UpSampling2D",
                "larger",
                options(
                        "size", List.of(2, 2),
                        "interpolation", "nearest",
                        "data_format", format()),
                Map.of(),
                "cropped");
        pool(file, "AveragePooling2D", "mean", 2, "larger");
        file.layer(
                "GlobalAveragePooling2D",
                "pooled",
                options("data_format", format()),
                Map.of(),
                "mean");
        file.layer(
                "Dense",
                "classes",
                dense(CLASSES, "softmax"),
                named("kernel", weights(12, CLASSES), "bias", weights(CLASSES)),
                "pooled");
        return file;
    }

    /** {@return the weights of a dense layer that reads flattened images} */
    private INDArray flattened(int height, int width, int channels, int out) {
        INDArray rows = weights(height, width, channels, out);
        INDArray inOrder = last ? rows : rows.permute(2, 0, 1, 3).dup('c');
        return inOrder.reshape('c', (long) height * width * channels, out);
    }

    private void classes(KerasFile file, int in, String... of) {
        file.layer(
                "Dense",
                "classes",
                dense(CLASSES, "softmax"),
                named("kernel", weights(in, CLASSES), "bias", weights(CLASSES)),
                of);
    }

    /**
     * {@return a sequential network of images that ends with dense layers}
     *
     * @param size height and width of its images, a multiple of 4
     */
    KerasFile images(int size) {
        KerasFile file = new KerasFile();
        file.layer(
                "Conv2D",
                "first",
                with(
                        window(3, 1, "same"),
                        "batch_input_shape",
                        last ? batchShape(size, size, 2) : batchShape(2, size, size),
                        "filters",
                        4,
                        "activation",
                        "relu",
                        "kernel_initializer",
                        GLOROT),
                named("kernel", kernel(3, 2, 4), "bias", weights(4)));
        pool(file, "MaxPooling2D", "pool", 2);
        convolution(file, "second", 4, 6, 3, "linear");
        file.layer("LeakyReLU", "leaky", options("alpha", 0.25), Map.of());
        pool(file, "AveragePooling2D", "mean", 2);
        file.layer("Dropout", "dropout", options("rate", 0.25), Map.of());
        file.layer("Flatten", "flat", options("data_format", format()), Map.of());
        int side = size / 4;
        file.layer(
                "Dense",
                "dense",
                dense(8, "relu"),
                named("kernel", flattened(side, side, 6, 8), "bias", weights(8)));
        classes(file, 8);
        return file;
    }

    /** {@return a sequential network of vectors of 6} */
    KerasFile vectors() {
        KerasFile file = new KerasFile();
        file.layer(
                "Dense",
                "first",
                with(dense(8, "relu"), "batch_input_shape", batchShape(6)),
                named("kernel", weights(6, 8), "bias", weights(8)));
        file.layer("ELU", "elu", options("alpha", 1.0), Map.of());
        file.layer("Dropout", "dropout", options("rate", 0.5), Map.of());
        file.layer(
                "Dense",
                "second",
                dense(9, "tanh"),
                named("kernel", weights(8, 9), "bias", weights(9)));
        file.layer("ThresholdedReLU", "above", options("theta", 0.25), Map.of());
        classes(file, 9);
        return file;
    }

    private Map<String, INDArray> lstm(String folder, int in, int units) {
        return named(
                folder + "kernel", weights(in, 4L * units),
                folder + "recurrent_kernel", weights(units, 4L * units),
                folder + "bias", weights(4L * units));
    }

    /**
     * {@return a sequential network of indices below 7, with recurrent layers}
     *
     * @param length how many indices
     */
    KerasFile indices(int length) {
        KerasFile file = new KerasFile();
        file.layer(
                "Embedding",
                "words",
                options(
                        "batch_input_shape",
                        batchShape(length),
                        "input_dim",
                        7,
                        "output_dim",
                        5,
                        "embeddings_initializer",
                        GLOROT,
                        "mask_zero",
                        false,
                        "input_length",
                        length),
                named("embeddings", weights(7, 5)));
        file.layer("LSTM", "lstm", recurrent(4, true), lstm("lstm_cell/", 5, 4));
        file.layer(
                "SimpleRNN",
                "rnn",
                recurrent(6, false),
                named(
                        "simple_rnn_cell/kernel", weights(4, 6),
                        "simple_rnn_cell/recurrent_kernel", weights(6, 6),
                        "simple_rnn_cell/bias", weights(6)));
        classes(file, 6);
        return file;
    }

    /**
     * {@return a sequential network of sequences of 3 values}
     *
     * @param length of the sequences
     */
    KerasFile sequences(int length) {
        KerasFile file = new KerasFile();
        file.layer(
                "Conv1D",
                "first",
                with(
                        steps(3, "causal"),
                        "batch_input_shape",
                        batchShape(length, 3),
                        "filters",
                        4,
                        "activation",
                        "relu"),
                named("kernel", weights(3, 3, 4), "bias", weights(4)));
        file.layer(
                "Conv1D",
                "second",
                with(steps(3, "same"), "filters", 5, "activation", "linear"),
                named("kernel", weights(3, 4, 5), "bias", weights(5)));
        file.layer(
                "GlobalMaxPooling1D", "largest", options("data_format", "channels_last"), Map.of());
        classes(file, 5);
        return file;
    }
}
