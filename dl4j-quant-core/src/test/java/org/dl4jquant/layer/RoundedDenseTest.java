// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.nd.RowMajor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The normalized products in float are DL4J's layer, and their gradients those of the formula. */
class RoundedDenseTest {

    private static final float FLOAT_BOUND = 1e-4f;
    private static final double STEP = 1e-5;
    private static final LayerWorkspaceMgr MGR = LayerWorkspaceMgr.noWorkspaces();
    private static final int IN = 5;
    private static final int OUT = 4;

    private static NeuralNetConfiguration configuration(boolean bias) {
        DenseLayer layer =
                new DenseLayer.Builder()
                        .nIn(IN)
                        .nOut(OUT)
                        .hasLayerNorm(true)
                        .hasBias(bias)
                        .activation(Activation.IDENTITY)
                        .build();
        return new NeuralNetConfiguration.Builder().layer(layer).build();
    }

    private static Layer rounded(NeuralNetConfiguration conf, INDArray parameters, DataType type) {
        return RoundedDense.of(conf, (DenseLayer) conf.getLayer(), 0, parameters, type);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void productsInFloatAreDl4jsLayer(boolean bias) {
        NeuralNetConfiguration conf = configuration(bias);
        long count = conf.getLayer().initializer().numParams(conf);
        INDArray parameters = Nd4j.randn(1, count);
        Layer expected =
                conf.getLayer().instantiate(conf, null, 0, parameters.dup(), false, DataType.FLOAT);
        Layer found = rounded(conf, parameters.dup(), DataType.FLOAT);
        INDArray x = Nd4j.randn(3, IN);
        x.getRow(1).assign(0); // equal products, whose variance is 0
        INDArray y = expected.activate(x.dup(), true, MGR);
        requireNear(y, found.activate(x.dup(), true, MGR));
        x = Nd4j.randn(3, IN);
        expected.activate(x.dup(), true, MGR);
        found.activate(x.dup(), true, MGR);
        INDArray epsilon = Nd4j.randn(y.shape());
        expected.setBackpropGradientsViewArray(Nd4j.zeros(1, count));
        found.setBackpropGradientsViewArray(Nd4j.zeros(1, count));
        Pair<Gradient, INDArray> back = expected.backpropGradient(epsilon.dup(), MGR);
        Pair<Gradient, INDArray> own = found.backpropGradient(epsilon.dup(), MGR);
        requireNear(back.getSecond(), own.getSecond());
        Map<String, INDArray> gradients = back.getFirst().gradientForVariable();
        assertEquals(gradients.keySet(), own.getFirst().gradientForVariable().keySet());
        gradients.forEach((key, value) -> requireNear(value, own.getFirst().getGradientFor(key)));
    }

    private static void requireNear(INDArray expected, INDArray found) {
        assertArrayEquals(expected.shape(), found.shape());
        assertArrayEquals(RowMajor.floats(expected), RowMajor.floats(found), FLOAT_BOUND);
    }

    /** By finite differences of a loss in float64 that knows the layer's formula only. */
    @Test
    void gradientsAreThoseOfTheFormula() {
        NeuralNetConfiguration conf = configuration(true);
        int count = (int) conf.getLayer().initializer().numParams(conf);
        Random random = new Random(4);
        double[] all = random.doubles(count + 2 * IN, -1, 1).toArray();
        double[] upstream = random.doubles(2L * OUT, -1, 1).toArray();
        Layer layer =
                rounded(
                        conf,
                        Nd4j.createFromArray(Arrays.copyOf(all, count)).reshape(1, count),
                        DataType.DOUBLE);
        INDArray x =
                Nd4j.createFromArray(Arrays.copyOfRange(all, count, all.length)).reshape(2, IN);
        layer.activate(x, true, MGR);
        INDArray gradients = Nd4j.zeros(DataType.DOUBLE, 1, count);
        layer.setBackpropGradientsViewArray(gradients);
        INDArray toInput =
                layer.backpropGradient(Nd4j.createFromArray(upstream).reshape(2, OUT), MGR)
                        .getSecond();
        for (int i = 0; i < all.length; i++) {
            double at = all[i];
            all[i] = at + STEP;
            double above = loss(all, count, upstream);
            all[i] = at - STEP;
            double below = loss(all, count, upstream);
            all[i] = at;
            double found =
                    i < count
                            ? gradients.getDouble(i)
                            : toInput.getDouble((i - count) / IN, (i - count) % IN);
            assertEquals((above - below) / (2 * STEP), found, 1e-6, "number " + i);
        }
    }

    /* The parameters stand as W in column-major order, then the bias, then the gains. */
    private static double loss(double[] all, int count, double[] upstream) {
        double loss = 0;
        for (int row = 0; row < 2; row++) {
            double[] product = new double[OUT];
            double mean = 0;
            for (int out = 0; out < OUT; out++) {
                for (int in = 0; in < IN; in++) {
                    product[out] += all[count + row * IN + in] * all[out * IN + in];
                }
                mean += product[out] / OUT;
            }
            double variance = 0;
            for (double value : product) {
                variance += (value - mean) * (value - mean) / OUT;
            }
            for (int out = 0; out < OUT; out++) {
                double normal = (product[out] - mean) / Math.sqrt(variance);
                double y = normal * all[IN * OUT + OUT + out] + all[IN * OUT + out];
                loss += y * upstream[row * OUT + out];
            }
        }
        return loss;
    }
}
