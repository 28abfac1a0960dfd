// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Granularity;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Weights whose inputs are split into groups, each with a scale of its own. */
final class PerGroupTest {

    private static final int MAX_CODE = 7;

    private static QuantSpec spec(int size) {
        TensorScheme weights =
                TensorScheme.weights(4)
                        .withCalibration(new CalibrationMethod.MinMax())
                        .withGranularity(new Granularity.PerGroup(size));
        return QuantSpec.of(new LayerScheme(weights, TensorScheme.INT8_ACTIVATIONS));
    }

    private static OutputLayer softmax() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("last")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork dense() {
        return Networks.of(
                new Sgd(0.05),
                InputType.feedForward(6),
                new DenseLayer.Builder().name("first").nOut(8).activation(Activation.RELU).build(),
                softmax());
    }

    private static MultiLayerNetwork prepare(
            MultiLayerNetwork network, QuantSpec spec, long... shape) {
        return Preparation.prepare(network, spec, Networks.batches(Networks.data(24, shape)))
                .network();
    }

    @Test
    void eachRunOfInputsOfADenseLayerHasItsOwnScale() {
        MultiLayerNetwork floats = dense();
        MultiLayerNetwork quantized = prepare(floats, spec(2), 6);
        INDArray weight = floats.getLayer(0).getParam("W");
        float[] expected = new float[8 * 3];
        for (int out = 0; out < 8; out++) {
            for (int in = 0; in < 6; in++) {
                int scale = out * 3 + in / 2;
                expected[scale] =
                        Math.max(expected[scale], Math.abs(weight.getFloat(in, out)) / MAX_CODE);
            }
        }
        assertArrayEquals(expected, RowMajor.floats(quantized.getLayer(0).getParam("scaleW")));
    }

    @Test
    void eachRunOfInputChannelsOfAConvolutionHasItsOwnScale() {
        MultiLayerNetwork floats =
                Networks.of(
                        new Sgd(0.05),
                        InputType.convolutional(5, 5, 4),
                        new ConvolutionLayer.Builder(2, 3).name("first").nOut(3).build(),
                        softmax());
        MultiLayerNetwork quantized =
                prepare(floats, spec(2).with(LayerSelector.last(), LayerScheme.INT8), 4, 5, 5);
        INDArray weight = floats.getLayer(0).getParam("W");
        float[] expected = new float[3 * 2];
        for (int out = 0; out < 3; out++) {
            for (int in = 0; in < 4; in++) {
                for (int tap = 0; tap < 6; tap++) {
                    int scale = out * 2 + in / 2;
                    float value = weight.getFloat(out, in, tap / 3, tap % 3);
                    expected[scale] = Math.max(expected[scale], Math.abs(value) / MAX_CODE);
                }
            }
        }
        assertArrayEquals(expected, RowMajor.floats(quantized.getLayer(0).getParam("scaleW")));
    }

    @Test
    void trainsByPlainFitAndMovesEveryScale() {
        MultiLayerNetwork quantized = prepare(dense(), spec(2), 6);
        DataSet data = Networks.data(24, 6);
        float[] scales = RowMajor.floats(quantized.getLayer(1).getParam("scaleW"));
        double before = quantized.score(data);
        for (int i = 0; i < 30; i++) {
            quantized.fit(data);
        }
        double after = quantized.score(data);
        assertTrue(after < before, () -> "loss " + before + " became " + after);
        float[] moved = RowMajor.floats(quantized.getLayer(1).getParam("scaleW"));
        assertEquals(4 * Networks.CLASSES, moved.length);
        for (int i = 0; i < moved.length; i++) {
            assertTrue(moved[i] > 0 && moved[i] != scales[i], "scale " + i);
        }
    }

    @Test
    void inferenceRoundsEachWeightInItsGroup() {
        MultiLayerNetwork quantized = prepare(dense(), spec(2), 6);
        DataSet data = Networks.data(24, 6);
        INDArray before = quantized.output(data.getFeatures());
        INDArray weight = quantized.getLayer(0).getParam("W");
        INDArray scales = quantized.getLayer(0).getParam("scaleW");
        for (int out = 0; out < 8; out++) {
            float largest = 0;
            for (int group = 0; group < 3; group++) {
                largest = Math.max(largest, scales.getFloat(out * 3 + group));
            }
            // 127 / 7 whole multiples
            float unit = largest / 18;
            for (int in = 0; in < 6; in++) {
                double multiple = Math.rint(scales.getFloat(out * 3 + in / 2) / unit);
                float scale = unit * (float) Math.max(multiple, 1);
                double code = Math.rint(weight.getFloat(in, out) / scale);
                weight.putScalar(
                        in, out, (float) Math.max(-MAX_CODE, Math.min(MAX_CODE, code)) * scale);
            }
        }
        assertEquals(
                before, quantized.output(data.getFeatures()), "rounding twice is rounding once");
    }

    @Test
    void theGroupsAreInTheModelsConfiguration() {
        MultiLayerNetwork quantized = prepare(dense(), spec(2), 6);
        QuantizedLayer conf = QuantizedLayers.configuration(quantized.getLayer(0)).orElseThrow();
        MultiLayerNetwork copy = quantized.clone();
        assertEquals(conf, QuantizedLayers.configuration(copy.getLayer(0)).orElseThrow());
        assertEquals(
                quantized.getLayerWiseConfigurations().toJson(),
                org.deeplearning4j.nn.conf.MultiLayerConfiguration.fromJson(
                                quantized.getLayerWiseConfigurations().toJson())
                        .toJson());
    }

    private static String refusal(int size, List<Layer> layers, long... shape) {
        InputType input =
                shape.length == 1
                        ? InputType.feedForward(shape[0])
                        : InputType.convolutional(shape[1], shape[2], shape[0]);
        MultiLayerNetwork network = Networks.of(new Sgd(0.05), input, layers.toArray(Layer[]::new));
        return assertThrows(
                        IllegalArgumentException.class, () -> prepare(network, spec(size), shape))
                .getMessage();
    }

    @Test
    void refusesGroupsThatDoNotDivideTheInputs() {
        assertEquals(
                "layer 'first': weight W has 6 inputs, which groups of 4 do not divide; give this layer"
                        + " a group size that does, or Granularity.PER_CHANNEL",
                refusal(
                        4,
                        List.of(new DenseLayer.Builder().name("first").nOut(8).build(), softmax()),
                        6));
    }

    @Test
    void refusesALayerWhoseChannelsHaveOneInputEach() {
        assertEquals(
                "layer 'first': weight W of a DepthwiseConvolution2D has no dimension of inputs that"
                        + " could be grouped; give this layer Granularity.PER_CHANNEL",
                refusal(
                        2,
                        List.of(
                                new DepthwiseConvolution2D.Builder(3, 3)
                                        .name("first")
                                        .depthMultiplier(2)
                                        .build(),
                                softmax()),
                        4,
                        5,
                        5));
    }

    @Test
    void refusesAGroupOfNothing() {
        assertEquals(
                "a group of 0 inputs: the size must be at least 1",
                assertThrows(IllegalArgumentException.class, () -> new Granularity.PerGroup(0))
                        .getMessage());
    }
}
