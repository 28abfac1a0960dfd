// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** DL4J clips and normalizes the gradients of a prepared network, and only the gradients. */
class GradientNormalizationTest {

    /** Far below the gradients of these layers, so that every one of them is clipped. */
    private static final double THRESHOLD = 1e-3;

    /** A norm is a float32 sum of fewer than 300 squares, and scales a float32 array. */
    private static final double ROUNDING = 1e-5;

    private static final Set<String> STATISTICS = Set.of("mean", "log10stdev");

    private static MultiLayerNetwork prepared(GradientNormalization normalization) {
        NeuralNetConfiguration.Builder common =
                new NeuralNetConfiguration.Builder()
                        .seed(3)
                        .updater(new Sgd(1))
                        .gradientNormalization(normalization)
                        .gradientNormalizationThreshold(THRESHOLD);
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        common.list()
                                .layer(
                                        new ConvolutionLayer.Builder(3, 3)
                                                .nOut(4)
                                                .activation(Activation.IDENTITY)
                                                .build())
                                .layer(new BatchNormalization.Builder().build())
                                .layer(new ActivationLayer(Activation.RELU))
                                .layer(
                                        new DenseLayer.Builder()
                                                .nOut(5)
                                                .activation(Activation.TANH)
                                                .build())
                                .layer(
                                        new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.SOFTMAX)
                                                .build())
                                .setInputType(InputType.convolutional(6, 6, 2))
                                .build());
        network.init();
        return Preparation.prepare(
                        network, QuantSpec.of(LayerScheme.INT8), Networks.batches(data()))
                .network();
    }

    private static DataSet data() {
        return Networks.data(12, 2, 6, 6);
    }

    /** The step of gradient descent with rate 1, by parameter, layer after layer. */
    private static List<Map<String, INDArray>> steps(MultiLayerNetwork network) {
        network.fit(data());
        // The updater multiplies in place, here by 1.
        INDArray all = network.getFlattenedGradients();
        INDArray flat = all.reshape(all.length());
        List<Map<String, INDArray>> layers = new ArrayList<>();
        long at = 0;
        for (Layer layer : network.getLayers()) {
            Map<String, INDArray> steps = new LinkedHashMap<>();
            for (Map.Entry<String, INDArray> entry : layer.paramTable().entrySet()) {
                long end = at + entry.getValue().length();
                steps.put(entry.getKey(), flat.get(NDArrayIndex.interval(at, end)).dup());
                at = end;
            }
            if (!steps.isEmpty()) {
                layers.add(steps);
            }
        }
        assertEquals(flat.length(), at);
        assertEquals(3, layers.size());
        return layers;
    }

    private static boolean isGradient(String key) {
        return !STATISTICS.contains(key);
    }

    private static double norm(Map<String, INDArray> layer) {
        double squares = 0;
        for (Map.Entry<String, INDArray> entry : layer.entrySet()) {
            if (isGradient(entry.getKey())) {
                squares += Math.pow(entry.getValue().norm2Number().doubleValue(), 2);
            }
        }
        return Math.sqrt(squares);
    }

    private static boolean learnsByGradient(Map.Entry<String, INDArray> entry, boolean scales) {
        boolean scale = entry.getKey().startsWith("scale");
        return isGradient(entry.getKey()) && scale == scales;
    }

    @ParameterizedTest
    @EnumSource(GradientNormalization.class)
    void everyModeTrainsAndLeavesTheRunningStatisticsAlone(GradientNormalization mode) {
        MultiLayerNetwork plain = prepared(GradientNormalization.None);
        MultiLayerNetwork normalized = prepared(mode);
        Map<String, INDArray> expected = steps(plain).get(0);
        Map<String, INDArray> actual = steps(normalized).get(0);
        for (String statistic : STATISTICS) {
            assertTrue(expected.get(statistic).norm2Number().doubleValue() > 0, statistic);
            assertEquals(expected.get(statistic), actual.get(statistic), statistic);
        }
        assertFalse(normalized.params().isNaN().any());
        assertFalse(normalized.params().isInfinite().any());
    }

    @Test
    void clipsTheNormOfEachLayer() {
        for (Map<String, INDArray> layer : steps(prepared(GradientNormalization.ClipL2PerLayer))) {
            assertEquals(THRESHOLD, norm(layer), THRESHOLD * ROUNDING);
        }
    }

    @Test
    void clipsTheNormOfEachParameter() {
        List<Map<String, INDArray>> plain = steps(prepared(GradientNormalization.None));
        List<Map<String, INDArray>> clipped =
                steps(prepared(GradientNormalization.ClipL2PerParamType));
        for (int i = 0; i < clipped.size(); i++) {
            for (Map.Entry<String, INDArray> entry : clipped.get(i).entrySet()) {
                if (isGradient(entry.getKey())) {
                    double before = plain.get(i).get(entry.getKey()).norm2Number().doubleValue();
                    double after = entry.getValue().norm2Number().doubleValue();
                    assertEquals(
                            Math.min(before, THRESHOLD),
                            after,
                            THRESHOLD * ROUNDING,
                            i + " " + entry.getKey());
                }
            }
        }
    }

    @Test
    void clipsEachElement() {
        List<Map<String, INDArray>> plain = steps(prepared(GradientNormalization.None));
        List<Map<String, INDArray>> clipped =
                steps(prepared(GradientNormalization.ClipElementWiseAbsoluteValue));
        for (int i = 0; i < clipped.size(); i++) {
            for (Map.Entry<String, INDArray> entry : clipped.get(i).entrySet()) {
                if (isGradient(entry.getKey())) {
                    float[] before = plain.get(i).get(entry.getKey()).toFloatVector();
                    float[] after = entry.getValue().toFloatVector();
                    for (int k = 0; k < before.length; k++) {
                        float bound = (float) THRESHOLD;
                        assertEquals(Math.max(-bound, Math.min(bound, before[k])), after[k]);
                    }
                }
            }
        }
    }

    @Test
    void givesEachLayerTheNormOne() {
        for (Map<String, INDArray> layer :
                steps(prepared(GradientNormalization.RenormalizeL2PerLayer))) {
            assertEquals(1, norm(layer), ROUNDING);
        }
    }

    @Test
    void givesEachParameterTheNormOneButNoScale() {
        List<Map<String, INDArray>> plain = steps(prepared(GradientNormalization.None));
        List<Map<String, INDArray>> normalized =
                steps(prepared(GradientNormalization.RenormalizeL2PerParamType));
        int learned = 0;
        for (int i = 0; i < normalized.size(); i++) {
            for (Map.Entry<String, INDArray> entry : normalized.get(i).entrySet()) {
                String name = i + " " + entry.getKey();
                if (learnsByGradient(entry, true)) {
                    assertEquals(plain.get(i).get(entry.getKey()), entry.getValue(), name);
                } else if (learnsByGradient(entry, false) && !isDead(plain.get(i), entry)) {
                    double norm = entry.getValue().norm2Number().doubleValue();
                    assertEquals(1, norm, ROUNDING, name);
                    learned++;
                }
            }
        }
        assertEquals(7, learned, "three weights, two biases, gamma and beta");
    }

    /** The bias before a batch normalization has no effect; its gradient is rounding noise. */
    private static boolean isDead(Map<String, INDArray> layer, Map.Entry<String, INDArray> entry) {
        return layer.containsKey("gamma") && entry.getKey().equals("b");
    }
}
