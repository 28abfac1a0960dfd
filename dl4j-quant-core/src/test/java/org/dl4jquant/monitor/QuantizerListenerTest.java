// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class QuantizerListenerTest {

    private static final InputType INPUT = InputType.convolutional(6, 6, 2);
    private static final long[] EXAMPLE = {2, 6, 6};

    /* Sums of float32 numbers in float64, once in the order of memory, once by index. */
    private static final double FLOAT_ERROR = 1e-5;

    /* The same float64 sums, but one division and two roots instead of one root of each. */
    private static final double RATIO_ERROR = 1e-9;

    private static MultiLayerNetwork floats() {
        return Networks.of(
                new Adam(0.01),
                INPUT,
                new ConvolutionLayer.Builder(3, 3)
                        .name("conv")
                        .nOut(4)
                        .activation(Activation.IDENTITY)
                        .build(),
                new BatchNormalization(),
                new ActivationLayer(Activation.RELU),
                new DenseLayer.Builder()
                        .name("dense")
                        .nOut(5)
                        .dropOut(0.7)
                        .activation(Activation.TANH)
                        .build(),
                output());
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("out")
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static DataSet data() {
        return Networks.data(24, EXAMPLE);
    }

    private static MultiLayerNetwork quantized(LayerScheme scheme) {
        return Preparation.prepare(floats(), QuantSpec.of(scheme), Networks.batches(data()))
                .network();
    }

    private static ComputationGraph graph() {
        ComputationGraph floats =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .updater(new Sgd(0.1))
                                .graphBuilder()
                                .addInputs("in")
                                .addLayer(
                                        "hidden",
                                        new DenseLayer.Builder()
                                                .nOut(4)
                                                .activation(Activation.RELU)
                                                .build(),
                                        "in")
                                .addLayer("out", output(), "hidden")
                                .setOutputs("out")
                                .setInputTypes(InputType.feedForward(6))
                                .build());
        floats.init();
        return Preparation.prepare(
                        floats,
                        QuantSpec.of(LayerScheme.INT4),
                        Networks.batches(Networks.data(24, 6)))
                .network();
    }

    /** Reports of some iterations, each by layer and tensor. */
    private static final class Reports implements StatisticsSink {
        private final List<Map<String, QuantizerStatistics>> all = new ArrayList<>();

        @Override
        public void report(List<QuantizerStatistics> quantizers) {
            Map<String, QuantizerStatistics> byName = new LinkedHashMap<>();
            quantizers.forEach(one -> byName.put(one.layer() + " " + one.tensor(), one));
            assertEquals(quantizers.size(), byName.size());
            all.add(byName);
        }

        QuantizerStatistics of(String name) {
            QuantizerStatistics found = all.get(0).get(name);
            assertTrue(found != null, name + " is not among " + all.get(0).keySet());
            return found;
        }
    }

    // ---- figures --------------------------------------------------------------------------------

    @Test
    void reportsEveryQuantizer() {
        MultiLayerNetwork network = quantized(LayerScheme.INT8);
        Reports reports = new Reports();
        network.addListeners(QuantizerListener.every(1, reports));
        network.fit(data());
        assertEquals(
                List.of(
                        "conv W",
                        "conv input",
                        "conv output",
                        "dense W",
                        "dense pre-activation",
                        "dense output",
                        "out W"),
                List.copyOf(reports.all.get(0).keySet()));
    }

    @Test
    void measuresAWeightAsALoopDoes() {
        MultiLayerNetwork network = quantized(LayerScheme.INT4);
        double[] scales = RowMajor.doubles(network.getParam("0_scaleW"));
        INDArray weight = network.getParam("0_W").dup();
        Reports reports = new Reports();
        network.addListeners(QuantizerListener.every(1, reports));
        network.fit(data());

        double signal = 0;
        double noise = 0;
        int clipped = 0;
        double smallest = scales[0];
        double largest = scales[0];
        for (int out = 0; out < 4; out++) {
            smallest = Math.min(smallest, scales[out]);
            largest = Math.max(largest, scales[out]);
            double[] channel = RowMajor.doubles(weight.slice(out));
            for (double value : channel) {
                double code = Math.rint(value / scales[out]);
                double kept = Math.max(-7, Math.min(7, code));
                clipped += code == kept ? 0 : 1;
                signal += value * value;
                noise += Math.pow(value - kept * scales[out], 2);
            }
        }
        QuantizerStatistics found = reports.of("conv W");
        assertEquals((double) clipped / weight.length(), found.saturation());
        assertEquals(10 * Math.log10(signal / noise), found.sqnr(), FLOAT_ERROR);
        assertEquals(smallest, found.smallestScale());
        assertEquals(largest, found.largestScale());
        assertEquals("0", found.parameters());
    }

    @Test
    void measuresTheInputAsALoopDoes() {
        MultiLayerNetwork network = quantized(LayerScheme.INT4);
        double scale = network.getParam("0_scaleIn").getFloat(0);
        Reports reports = new Reports();
        network.addListeners(QuantizerListener.every(1, reports));
        network.fit(data());

        double signal = 0;
        double noise = 0;
        int clipped = 0;
        double[] values = RowMajor.doubles(data().getFeatures());
        for (double value : values) {
            double code = Math.rint(value / scale);
            double kept = Math.max(-8, Math.min(7, code));
            clipped += code == kept ? 0 : 1;
            signal += value * value;
            noise += Math.pow(value - kept * scale, 2);
        }
        QuantizerStatistics found = reports.of("conv input");
        assertTrue(clipped > 0);
        assertEquals((double) clipped / values.length, found.saturation());
        assertEquals(10 * Math.log10(signal / noise), found.sqnr(), FLOAT_ERROR);
        assertEquals(scale, found.smallestScale());
        assertEquals(scale, found.largestScale());
    }

    @Test
    void measuresAResultBehindReluAsALoopDoes() {
        // All weights 1 and a bias of -1 that is a code: the result is ReLU of a sum of codes.
        ComputationGraph graph = graph();
        graph.getParam("hidden_W").assign(1);
        graph.getParam("hidden_scaleW").assign(0.5);
        graph.getParam("hidden_scaleIn").assign(0.5);
        graph.getParam("hidden_scaleOut").assign(0.125);
        graph.getParam("hidden_b").assign(-1);
        Reports reports = new Reports();
        graph.addListeners(QuantizerListener.every(1, reports));
        DataSet data = Networks.data(9, 6);
        graph.fit(data);

        double signal = 0;
        double noise = 0;
        int clipped = 0;
        for (int i = 0; i < 9; i++) {
            double sum = -1;
            for (double value : RowMajor.doubles(data.getFeatures().getRow(i))) {
                sum += 0.5 * Math.max(-8, Math.min(7, Math.rint(value / 0.5)));
            }
            double value = Math.max(0, sum);
            double code = Math.rint(value / 0.125);
            double kept = Math.min(15, code);
            clipped += code == kept ? 0 : 1;
            signal += value * value;
            noise += Math.pow(value - kept * 0.125, 2);
        }
        QuantizerStatistics found = reports.of("hidden output");
        assertTrue(clipped > 0 && clipped < 9, clipped + " of 9 are clipped");
        assertEquals(clipped / 9.0, found.saturation());
        assertEquals(10 * Math.log10(signal / noise), found.sqnr(), FLOAT_ERROR);
        assertEquals("hidden", found.parameters());
    }

    /** The expected gradient ratios, from DL4J's own table of gradients. */
    private static final class Ratios extends BaseTrainingListener {
        private final Map<String, Double> found = new LinkedHashMap<>();

        @Override
        public void onGradientCalculation(Model model) {
            for (String layer : List.of("0_", "1_")) {
                for (String scale : List.of("scaleW", "scaleOut")) {
                    found.put(
                            layer + scale,
                            relative(model, layer + scale) / relative(model, layer + "W"));
                }
            }
        }

        private static double relative(Model model, String key) {
            double gradient = 0;
            for (double one : RowMajor.doubles(model.gradient().getGradientFor(key))) {
                gradient += one * one;
            }
            double value = 0;
            for (double one : RowMajor.doubles(model.getParam(key))) {
                value += one * one;
            }
            return Math.sqrt(gradient) / Math.sqrt(value);
        }

        @Override
        public void iterationDone(Model model, int iteration, int epoch) {}
    }

    @Test
    void comparesTheGradientsOfScalesAndWeights() {
        MultiLayerNetwork network = quantized(LayerScheme.INT4);
        Reports reports = new Reports();
        Ratios ratios = new Ratios();
        network.addListeners(QuantizerListener.every(1, reports), ratios);
        network.fit(data());
        ratios.found.forEach((key, ratio) -> assertTrue(ratio > 0, key));
        assertEquals(
                ratios.found.get("0_scaleW"), reports.of("conv W").gradientRatio(), RATIO_ERROR);
        assertEquals(
                ratios.found.get("0_scaleOut"),
                reports.of("conv output").gradientRatio(),
                RATIO_ERROR);
        assertEquals(
                ratios.found.get("1_scaleW"), reports.of("dense W").gradientRatio(), RATIO_ERROR);
        assertEquals(
                ratios.found.get("1_scaleOut"),
                reports.of("dense output").gradientRatio(),
                RATIO_ERROR);
    }

    @Test
    void reportsHalfPrecisionWithoutScales() {
        MultiLayerNetwork network = quantized(LayerScheme.FP16);
        Reports reports = new Reports();
        network.addListeners(QuantizerListener.every(1, reports));
        network.fit(data());
        QuantizerStatistics weight = reports.of("conv W");
        assertTrue(Double.isNaN(weight.smallestScale()) && Double.isNaN(weight.gradientRatio()));
        assertTrue(weight.sqnr() > 60 && weight.sqnr() < 100, weight.toString());
    }

    // ---- when -----------------------------------------------------------------------------------

    @Test
    void reportsEveryNthIterationOfTheNetwork() {
        MultiLayerNetwork network = quantized(LayerScheme.INT8);
        Reports reports = new Reports();
        network.addListeners(QuantizerListener.every(2, reports));
        network.fit(Networks.batches(data()), 2);
        List<List<Integer>> counts = new ArrayList<>();
        for (Map<String, QuantizerStatistics> report : reports.all) {
            QuantizerStatistics any = report.get("conv W");
            assertTrue(any != null);
            counts.add(List.of(any.iteration(), any.epoch()));
        }
        assertEquals(List.of(List.of(0, 0), List.of(2, 0), List.of(4, 1)), counts);
    }

    private static List<INDArray> trained(TrainingListener... listeners) {
        MultiLayerNetwork network = quantized(LayerScheme.INT4);
        network.addListeners(listeners);
        network.fit(Networks.batches(data()), 3);
        return List.of(network.params(), network.updaterState());
    }

    @Test
    void doesNotChangeTheTrainingByOneBit() {
        List<INDArray> alone = trained();
        List<INDArray> watched = trained(QuantizerListener.every(1, new Reports()));
        for (int i = 0; i < 2; i++) {
            float[] expected = RowMajor.floats(alone.get(i));
            float[] found = RowMajor.floats(watched.get(i));
            assertEquals(expected.length, found.length);
            for (int j = 0; j < expected.length; j++) {
                assertEquals(
                        Float.floatToRawIntBits(expected[j]), Float.floatToRawIntBits(found[j]));
            }
        }
    }

    // ---- bad input ------------------------------------------------------------------------------

    @Test
    void refusesToReportEveryZeroIterations() {
        assertEquals(
                "reports of quantizers every 0 iterations; it must be 1 or more, and should be 10 or"
                        + " more, because an iteration with a report takes longer",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> QuantizerListener.every(0, new Reports()))
                        .getMessage());
    }

    @Test
    void refusesToReportNowhere() {
        assertEquals(
                "reports of quantizers go to no sink; name one, such as StatisticsSink.log()",
                assertThrows(IllegalArgumentException.class, () -> QuantizerListener.every(1))
                        .getMessage());
    }

    @Test
    void refusesANetworkWithoutQuantizers() {
        MultiLayerNetwork network = floats();
        network.addListeners(QuantizerListener.every(1, new Reports()));
        assertEquals(
                "the network that this listener watches has no quantizers, in any of its layers; let"
                        + " the listener watch what Quantization.prepare returns",
                assertThrows(IllegalStateException.class, () -> network.fit(data())).getMessage());
    }
}
