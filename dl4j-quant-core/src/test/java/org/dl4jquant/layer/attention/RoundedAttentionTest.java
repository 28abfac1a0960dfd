// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Self-attention's own pass, against DL4J's layer. */
class RoundedAttentionTest {

    private static final int EXAMPLES = 3;
    private static final int SIZE = 4;
    private static final int STEPS = 5;

    /* Both compute in float64, in another order. */
    private static final double TOLERANCE = 1e-10;

    /* Central differences err by the square of the step, and by float64's rounding over it. */
    private static final double STEP = 1e-5;
    private static final double SLOPE_TOLERANCE = 1e-6;

    private static final LayerWorkspaceMgr MANAGER = LayerWorkspaceMgr.noWorkspaces();

    private static SelfAttentionLayer layer(boolean projects, int heads) {
        SelfAttentionLayer.Builder builder =
                new SelfAttentionLayer.Builder().nIn(SIZE).nOut(projects ? 6 : SIZE).nHeads(heads);
        return builder.projectInput(projects).name("attention").build();
    }

    private static INDArray normal(long seed, long... shape) {
        java.util.Random random = new java.util.Random(seed);
        INDArray values = Nd4j.create(DataType.DOUBLE, shape);
        for (long i = 0; i < values.length(); i++) {
            values.putScalar(i, random.nextGaussian());
        }
        return values;
    }

    private static INDArray mask() {
        INDArray mask = Nd4j.ones(DataType.DOUBLE, EXAMPLES, STEPS);
        return mask.putScalar(0, STEPS - 1, 0).putScalar(1, 2, 0).putScalar(1, 3, 0);
    }

    private static NeuralNetConfiguration configuration(SelfAttentionLayer layer) {
        NeuralNetConfiguration conf = new NeuralNetConfiguration();
        conf.setLayer(layer);
        return conf;
    }

    private static void assertSame(INDArray expected, INDArray actual, String what) {
        assertTrue(
                expected.equalShapes(actual)
                        && expected.sub(actual).amaxNumber().doubleValue() < TOLERANCE,
                () -> what + ": expected " + expected + " but was " + actual);
    }

    @ParameterizedTest
    @CsvSource({
        "true, 1, false",
        "true, 2, false",
        "true, 2, true",
        "false, 1, false",
        "false, 1, true"
    })
    void withoutRoundersItsResultIsThatOfDl4jsLayer(boolean projects, int heads, boolean masked) {
        SelfAttentionLayer conf = layer(projects, heads);
        long length = conf.initializer().numParams(conf);
        INDArray weights = length == 0 ? null : normal(1, 1, length).reshape(length);
        INDArray mine = weights == null ? null : weights.dup();
        Layer expected =
                conf.instantiate(configuration(conf), null, 0, weights, false, DataType.DOUBLE);
        Layer actual = RoundedAttention.of(configuration(conf), conf, 0, mine, DataType.DOUBLE);
        INDArray mask = masked ? mask() : null;
        expected.setMaskArray(mask);
        actual.setMaskArray(mask);
        INDArray x = normal(2, EXAMPLES, SIZE, STEPS);
        assertSame(
                expected.activate(x, false, MANAGER), actual.activate(x, false, MANAGER), "result");
    }

    @ParameterizedTest
    @CsvSource({"true, 2, true", "false, 1, false"})
    void gradientsAreThoseOfDifferences(boolean projects, int heads, boolean masked) {
        SelfAttentionLayer conf = layer(projects, heads);
        long length = conf.initializer().numParams(conf);
        INDArray weights = length == 0 ? null : normal(1, 1, length).reshape(length);
        Layer layer = RoundedAttention.of(configuration(conf), conf, 0, weights, DataType.DOUBLE);
        INDArray views = length == 0 ? null : Nd4j.zeros(DataType.DOUBLE, length);
        if (views != null) {
            layer.setBackpropGradientsViewArray(views);
        }
        layer.setMaskArray(masked ? mask() : null);
        INDArray x = normal(2, EXAMPLES, SIZE, STEPS);
        INDArray epsilon = normal(3, layer.activate(x, true, MANAGER).shape());
        INDArray toInput = layer.backpropGradient(epsilon, MANAGER).getSecond();
        assertSlopes(layer, x, epsilon, x, toInput);
        if (weights != null && views != null) {
            assertSlopes(layer, x, epsilon, weights, views);
        }
    }

    private static void assertSlopes(
            Layer layer, INDArray x, INDArray epsilon, INDArray moved, INDArray gradient) {
        INDArray flat = Nd4j.toFlattened('c', gradient);
        for (long i = 0; i < moved.length(); i++) {
            double kept = moved.getDouble(i);
            moved.putScalar(i, kept + STEP);
            double above = layer.activate(x, false, MANAGER).mul(epsilon).sumNumber().doubleValue();
            moved.putScalar(i, kept - STEP);
            double below = layer.activate(x, false, MANAGER).mul(epsilon).sumNumber().doubleValue();
            moved.putScalar(i, kept);
            assertEquals((above - below) / (2 * STEP), flat.getDouble(i), SLOPE_TOLERANCE);
        }
    }

    @Test
    void refusesAnInputOfAnotherSize() {
        SelfAttentionLayer conf = layer(false, 1);
        Layer layer = RoundedAttention.of(configuration(conf), conf, 0, null, DataType.DOUBLE);
        INDArray wide = Nd4j.zeros(DataType.DOUBLE, 2, SIZE + 1, STEPS);
        assertEquals(
                "layer \"attention\" reads sequences of shape [examples, 4, steps], but its input"
                        + " has the shape [2, 5, 5]",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> layer.activate(wide, false, MANAGER))
                        .getMessage());
    }
}
