// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.dl4jquant.lower.KerasOptions.options;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Writes a trained network as a file of Keras. The example {@code KerasToIntegers} reads one: 8
 * filters of 5 x 5 and 16 of 3 x 3, each with ReLU and a max pool, and an output layer, which
 * learned 3,000 images of StrokeDigits for 4 epochs, with Adam(1e-3) and an l2 of 1e-3.
 */
final class KerasDigits {

    private static final int FIRST = 8;
    private static final int SECOND = 16;
    private static final int SIDE = 5; // of the images that are flattened

    private KerasDigits() {}

    /**
     * Writes the file.
     *
     * @param args DL4J's model file, and the file to create
     * @throws IOException if the model cannot be read
     */
    public static void main(String... args) throws IOException {
        write(ModelSerializer.restoreMultiLayerNetwork(new File(args[0]), false), Path.of(args[1]));
    }

    private static void write(MultiLayerNetwork network, Path path) {
        KerasFile file = new KerasFile();
        file.layer("Conv2D", "conv2d", convolution(5, FIRST, true), weights(network.getLayer(0)));
        file.layer("MaxPooling2D", "max_pooling2d", pooling(), Map.of());
        file.layer(
                "Conv2D", "conv2d_1", convolution(3, SECOND, false), weights(network.getLayer(2)));
        file.layer("MaxPooling2D", "max_pooling2d_1", pooling(), Map.of());
        file.layer("Flatten", "flatten", options("data_format", "channels_last"), Map.of());
        file.layer(
                "Dense", "dense", KerasOptions.dense(10, "softmax"), weights(network.getLayer(4)));
        file.writeSequential(path, KerasOptions.TRAINING);
    }

    private static Map<String, Object> pooling() {
        return options(
                "pool_size",
                List.of(2, 2),
                "strides",
                List.of(2, 2),
                "padding",
                "valid",
                "data_format",
                "channels_last");
    }

    private static Map<String, Object> convolution(int size, int filters, boolean first) {
        Map<String, Object> options =
                options(
                        "kernel_size",
                        List.of(size, size),
                        "strides",
                        List.of(1, 1),
                        "padding",
                        "valid",
                        "dilation_rate",
                        List.of(1, 1),
                        "data_format",
                        "channels_last",
                        "filters",
                        filters,
                        "activation",
                        "relu",
                        "use_bias",
                        true,
                        "kernel_initializer",
                        KerasOptions.GLOROT,
                        "bias_initializer",
                        KerasOptions.ZEROS);
        if (first) {
            options.put("batch_input_shape", KerasOptions.batchShape(28, 28, 1));
        }
        return options;
    }

    /* Keras has rows, columns, inputs and outputs, in this order, and flattens images in it. */
    private static Map<String, INDArray> weights(Layer layer) {
        INDArray kernel = layer.getParam("W");
        long outputs = kernel.size(1);
        INDArray inOrder =
                kernel.rank() == 4
                        ? kernel.permute(2, 3, 1, 0).dup('c')
                        : kernel.dup('c')
                                .reshape('c', SECOND, SIDE, SIDE, outputs)
                                .permute(1, 2, 0, 3)
                                .dup('c')
                                .reshape('c', kernel.size(0), outputs);
        Map<String, INDArray> weights = new LinkedHashMap<>();
        weights.put("kernel", inOrder);
        weights.put("bias", layer.getParam("b").reshape(layer.getParam("b").length()));
        return weights;
    }
}
