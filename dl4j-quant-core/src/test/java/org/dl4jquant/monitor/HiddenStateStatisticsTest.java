// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The listener's figures of rounded hidden states. */
class HiddenStateStatisticsTest {

    private static final int EXAMPLES = 6;
    private static final int INPUTS = 3;
    private static final int UNITS = 4;
    private static final int STEPS = 7;

    /* The states in float32 there and in float64 here: 2^-24 of up to 0.5, divided by errors of a
     * fiftieth. */
    private static final double SQNR_ERROR = 1e-3;

    /* The same float64 numbers, added in another order. */
    private static final double SUM_ERROR = 1e-9;

    /* The same float64 sums, but one division and two roots instead of one root of each. */
    private static final double RATIO_ERROR = 1e-9;

    private static MultiLayerNetwork quantized(Layer recurrent) {
        RnnOutputLayer output =
                new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .name("out")
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build();
        return Preparation.prepare(
                        Networks.of(
                                new Sgd(0.1),
                                InputType.recurrent(INPUTS, STEPS),
                                recurrent,
                                output),
                        QuantSpec.of(LayerScheme.INT4),
                        Networks.batches(data()))
                .network();
    }

    private static LSTM lstm() {
        return new LSTM.Builder().name("lstm").nOut(UNITS).activation(Activation.TANH).build();
    }

    private static DataSet data() {
        INDArray labels = Nd4j.zeros(EXAMPLES, 2, STEPS);
        for (int e = 0; e < EXAMPLES; e++) {
            for (int t = 0; t < STEPS; t++) {
                labels.putScalar(new int[] {e, (e + t) % 2, t}, 1);
            }
        }
        return new DataSet(Networks.normal(4, EXAMPLES, INPUTS, STEPS), labels);
    }

    /** The reports of one iteration by tensor, for the first layer. */
    private static Map<String, QuantizerStatistics> reports(
            MultiLayerNetwork network, DataSet data, BaseTrainingListener... more) {
        Map<String, QuantizerStatistics> byTensor = new LinkedHashMap<>();
        QuantizerListener listener =
                QuantizerListener.every(
                        1,
                        quantizers ->
                                quantizers.stream()
                                        .filter(one -> one.parameters().equals("0"))
                                        .forEach(one -> byTensor.put(one.tensor(), one)));
        network.addListeners(listener);
        network.addListeners(more);
        network.fit(data);
        return byTensor;
    }

    private static QuantizerStatistics of(String tensor, Map<String, QuantizerStatistics> all) {
        return Objects.requireNonNull(all.get(tensor), tensor + " is not among " + all.keySet());
    }

    @Test
    void aHiddenStateIsReportedBetweenInputAndResult() {
        assertEquals(
                List.of("W", "RW", "input", "hidden"),
                List.copyOf(reports(quantized(lstm()), data()).keySet()));
        assertEquals(
                List.of("fW", "fRW", "bW", "bRW", "input", "hidden", "hidden-backward", "output"),
                List.copyOf(reports(quantized(new Bidirectional(lstm())), data()).keySet()));
    }

    @Test
    void measuresTheHiddenStateAsALoopOverSingleNumbersDoes() {
        MultiLayerNetwork network = quantized(lstm());
        INDArray parameter = network.getParam("0_scaleHidden");
        double scale = parameter.mul(0.6).getFloat(0);
        parameter.assign(scale);
        List<Double> states = states(network, scale);
        QuantizerStatistics found = of("hidden", reports(network, data()));

        double signal = 0;
        double noise = 0;
        int clipped = 0;
        for (double state : states) {
            double code = Math.rint(state / scale);
            double kept = Math.max(-8, Math.min(7, code));
            clipped += code == kept ? 0 : 1;
            signal += state * state;
            noise += Math.pow(state - kept * scale, 2);
        }
        assertTrue(clipped > 0 && clipped < states.size() / 2, clipped + " are clipped");
        assertEquals((double) clipped / (EXAMPLES * UNITS * STEPS), found.saturation());
        assertEquals(10 * Math.log10(signal / noise), found.sqnr(), SQNR_ERROR);
        assertEquals(scale, found.smallestScale());
        assertEquals(scale, found.largestScale());
        assertEquals("lstm", found.layer());
    }

    /** The next hidden state of an LSTM of rounded weights, input and state, in float64. */
    private static List<Double> states(MultiLayerNetwork network, double scale) {
        double[][] w = rounded(network, "W");
        double[][] rw = rounded(network, "RW");
        double[] biases = RowMajor.doubles(network.getParam("0_b"));
        double inputScale = network.getParam("0_scaleIn").getFloat(0);
        INDArray x = data().getFeatures();
        List<Double> states = new ArrayList<>();
        for (int e = 0; e < EXAMPLES; e++) {
            double[] hidden = new double[UNITS];
            double[] memory = new double[UNITS];
            for (int t = 0; t < STEPS; t++) {
                double[] z = biases.clone();
                for (int k = 0; k < 4 * UNITS; k++) {
                    for (int i = 0; i < INPUTS; i++) {
                        z[k] += code(x.getFloat(e, i, t), inputScale, -8) * inputScale * w[i][k];
                    }
                    for (int u = 0; u < UNITS; u++) {
                        z[k] += hidden[u] * rw[u][k];
                    }
                }
                for (int u = 0; u < UNITS; u++) {
                    double candidate = on(Math.tanh(on(z[u], 8, 12)), 7, 8);
                    memory[u] =
                            on(
                                    gate(z[UNITS + u]) * memory[u]
                                            + gate(z[3 * UNITS + u]) * candidate,
                                    12,
                                    16);
                    double state = gate(z[2 * UNITS + u]) * on(Math.tanh(memory[u]), 15, 16);
                    states.add(state);
                    hidden[u] = scale * code(state, scale, -8);
                }
            }
        }
        return states;
    }

    private static double[][] rounded(MultiLayerNetwork network, String key) {
        double[][] weights = network.getParam("0_" + key).toDoubleMatrix();
        double[] scales = RowMajor.doubles(network.getParam("0_scale" + key));
        assertEquals(4 * UNITS, scales.length);
        for (double[] row : weights) {
            for (int k = 0; k < row.length; k++) {
                row[k] = scales[k] * code(row[k], scales[k], -7);
            }
        }
        return weights;
    }

    private static double code(double value, double scale, int least) {
        return Math.max(least, Math.min(7, Math.rint(value / scale)));
    }

    /** A value on a grid of steps of 2^-fraction, in signed codes of a number of bits. */
    private static double on(double value, int fraction, int bits) {
        double most = Math.pow(2, bits - 1);
        double code = Math.rint(value * Math.pow(2, fraction));
        return Math.max(-most, Math.min(most - 1, code)) * Math.pow(2, -fraction);
    }

    /** A gate of a sum: 12 bits before the function, 8 after it, from 0 to 255/256. */
    private static double gate(double z) {
        double open = 1 / (1 + Math.exp(-on(z, 8, 12)));
        return Math.min(255, Math.rint(256 * open)) / 256;
    }

    @Test
    void theDirectionsChangePlacesWhenTimeIsTurnedAround() {
        MultiLayerNetwork network = quantized(new Bidirectional(lstm()));
        for (String name : List.of("W", "RW", "b")) {
            network.getParam("0_b" + name).assign(network.getParam("0_f" + name));
        }
        network.getParam("0_scalebW").assign(network.getParam("0_scalefW"));
        network.getParam("0_scalebRW").assign(network.getParam("0_scalefRW"));
        network.getParam("0_scaleHiddenBack").assign(network.getParam("0_scaleHidden"));
        MultiLayerNetwork other = network.clone();
        DataSet turned = data();
        for (int t = 0; t < STEPS; t++) {
            step(turned.getFeatures(), t).assign(step(data().getFeatures(), STEPS - 1 - t));
        }
        Map<String, QuantizerStatistics> there = reports(network, data());
        Map<String, QuantizerStatistics> back = reports(other, turned);

        QuantizerStatistics forwards = of("hidden", there);
        assertNotEquals(forwards.sqnr(), of("hidden-backward", there).sqnr());
        assertEquals(forwards.sqnr(), of("hidden-backward", back).sqnr(), SUM_ERROR);
        assertEquals(forwards.saturation(), of("hidden-backward", back).saturation());
    }

    private static INDArray step(INDArray sequence, int t) {
        return sequence.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(t));
    }

    /** The gradient ratios of hidden states, from DL4J's own table of gradients. */
    private static final class Ratios extends BaseTrainingListener {
        private final Map<String, Double> found = new LinkedHashMap<>();

        @Override
        public void onGradientCalculation(Model model) {
            double weights = relative(model, "0_fW", "0_fRW", "0_bW", "0_bRW");
            for (String scale : List.of("0_scaleHidden", "0_scaleHiddenBack")) {
                found.put(scale, relative(model, scale) / weights);
            }
        }

        private static double relative(Model model, String... keys) {
            double gradient = 0;
            double value = 0;
            for (String key : keys) {
                for (double one : RowMajor.doubles(model.gradient().getGradientFor(key))) {
                    gradient += one * one;
                }
                for (double one : RowMajor.doubles(model.getParam(key))) {
                    value += one * one;
                }
            }
            return Math.sqrt(gradient) / Math.sqrt(value);
        }

        @Override
        public void iterationDone(Model model, int iteration, int epoch) {}
    }

    @Test
    void comparesTheGradientsOfBothScalesWithThoseOfAllWeights() {
        Ratios ratios = new Ratios();
        Map<String, QuantizerStatistics> found =
                reports(quantized(new Bidirectional(lstm())), data(), ratios);
        ratios.found.forEach((key, ratio) -> assertTrue(ratio > 0, key));
        assertEquals(
                ratios.found.get("0_scaleHidden"),
                of("hidden", found).gradientRatio(),
                RATIO_ERROR);
        assertEquals(
                ratios.found.get("0_scaleHiddenBack"),
                of("hidden-backward", found).gradientRatio(),
                RATIO_ERROR);
    }
}
