// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.CodeRounding;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A layer's rounder draws in training only, and backward knows what forward drew. */
final class DrawnCodesTest {

    private static final int EXAMPLES = 40;
    private static final int FEATURES = 5;
    private static final float SCALE = .25f;
    private static final CodeRange RANGE = CodeRange.signed(4);

    /* A sum of 200 numbers of order 1, in float64, the parts of which were rounded to float32. */
    private static final double TOLERANCE = 1e-5;

    private static INDArray scale(int channels) {
        return Nd4j.valueArrayOf(new long[] {1, channels}, SCALE);
    }

    private static CodeRounder activation(CodeRounding rounding) {
        TensorScheme scheme = TensorScheme.activations(4).withRounding(rounding);
        return CodeRounder.ofActivation(
                "layer", "output", new ActivationScheme(scheme, true), scale(1), null);
    }

    private static CodeRounder weight() {
        return CodeRounder.ofWeight(
                "layer",
                new WeightSlot(
                        "W", "scaleW", Channels.axis(1), FEATURES, WeightLayout.MATRIX, null),
                CodeRange.narrow(4),
                TensorScheme.weights(4).withRounding(new CodeRounding.Stochastic(1)),
                scale(FEATURES));
    }

    /** {@return numbers from -10 codes to 10, between codes, some of them clipped} */
    private static INDArray values() {
        float[] values = new float[EXAMPLES * FEATURES];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 0.1003f - 10) * SCALE;
        }
        return RowMajor.array(values, EXAMPLES, FEATURES);
    }

    private static float[] rounded(CodeRounder rounder) {
        INDArray out = values().ulike();
        rounder.forward(values(), out);
        return RowMajor.floats(out);
    }

    @Test
    void drawsInTrainingOnly() {
        CodeRounder rounder = activation(new CodeRounding.Stochastic(1));
        float[] nearest = rounded(activation(CodeRounding.NEAREST));
        assertArrayEquals(nearest, rounded(rounder));
        rounder.setIteration(4);
        float[] fourth = rounded(rounder);
        assertFalse(Arrays.equals(nearest, fourth));
        rounder.setIteration(5);
        assertFalse(Arrays.equals(fourth, rounded(rounder)));
        rounder.setIteration(4);
        assertArrayEquals(fourth, rounded(rounder));
        rounder.setIteration(ValueRounder.NO_TRAINING);
        assertArrayEquals(nearest, rounded(rounder));
    }

    @Test
    void tensorsOfOneLayerDrawDifferently() {
        CodeRounder one = weight();
        CodeRounder other = activation(new CodeRounding.Stochastic(1));
        one.setIteration(4);
        other.setIteration(4);
        int equal = 0;
        float[] weights = rounded(one);
        float[] activations = rounded(other);
        for (int i = 0; i < weights.length; i++) {
            equal += weights[i] == activations[i] ? 1 : 0;
        }
        assertFalse(equal > weights.length * .9, equal + " of " + weights.length + " equal");
    }

    @Test
    void anActivationsScaleHasTheGradientOfTheDrawnCodes() {
        CodeRounder rounder = activation(new CodeRounding.Stochastic(1));
        rounder.setIteration(4);
        double sum = 0;
        float[] forward = rounded(rounder);
        float[] in = RowMajor.floats(values());
        for (int i = 0; i < in.length; i++) {
            sum += part(forward[i], in[i], RANGE);
        }
        INDArray found = scale(1).ulike();
        rounder.setScaleGradients(found);
        rounder.backward(values(), Nd4j.onesLike(values()), values());
        double g = 1 / Math.sqrt(FEATURES * RANGE.max());
        assertEquals(g * sum, found.getDouble(0), TOLERANCE);
    }

    @Test
    void aWeightsScalesHaveTheGradientsOfTheDrawnCodes() {
        CodeRounder rounder = weight();
        rounder.setIteration(4);
        double[] sums = new double[FEATURES];
        float[] forward = rounded(rounder);
        float[] in = RowMajor.floats(values());
        double g = 1 / Math.sqrt(EXAMPLES * RANGE.max());
        for (int i = 0; i < in.length; i++) {
            sums[i % FEATURES] += g * part(forward[i], in[i], CodeRange.narrow(4));
        }
        INDArray found = scale(FEATURES).ulike();
        rounder.setScaleGradients(found);
        rounder.backward(values(), Nd4j.onesLike(values()), values());
        assertArrayEquals(sums, RowMajor.doubles(found), TOLERANCE);
    }

    /** LSQ's derivative of a rounded value by the scale, equation 3. */
    private static double part(float rounded, float value, CodeRange range) {
        double number = value / SCALE;
        double code = rounded / SCALE;
        return number > range.min() && number < range.max() ? code - number : code;
    }
}
