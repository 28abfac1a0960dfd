// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Golden values of EWGS: scale 0.5, 3 signed bits, delta 2. They come from a NumPy script that
 * follows the paper's own parameters: {@code x_n} in [0, 1] between the bounds l = -2 and u = 1.5,
 * {@code x_q = round(7 x_n) / 7}, gradients of l and u by the chain rule with equation 3 of arXiv
 * 2104.00903 for the rounding, and {@code dl/ds = -4}, {@code du/ds = 3}.
 */
final class EwgsOracleTest {

    private static final float[] VALUES = {-3, -1.2f, -.3f, .24f, .26f, .9f, 1.4f, 1.6f, 2};
    private static final float[] UPSTREAM = {1, -2, 3, -1, 1, -1, 2, 1, -1};
    private static final float[] BY_VALUE = {
        0, -2.2285714f, 3.3428571f, -.8628571f, .8628571f, -1.0571429f, 1.8857143f, 0, -0f
    };
    private static final double BY_SCALE = -4.7545142857142855;

    /* The values themselves are float32 numbers near decimal ones, 2^-24 of at most 4 away. */
    private static final float TOLERANCE = 2e-6f;

    private final INDArray scale = RowMajor.array(new float[] {.5f}, 1);

    @Test
    void scalesEachGradient() {
        assertArrayEquals(BY_VALUE, gradients(new Estimator.Ewgs(2), VALUES, UPSTREAM)[0]);
    }

    @Test
    void sumsTheScalesGradientOverScaledOnes() {
        float sum = gradients(new Estimator.Ewgs(2), VALUES, UPSTREAM)[1][0];
        assertEquals(BY_SCALE / Math.sqrt(VALUES.length * 3), sum, TOLERANCE);
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void withoutDeltaItIsLsq(@ForAll("values") float[] values) {
        float[] upstream = Floats.normal(values.length, 1, 4);
        assertArrayEquals(
                gradients(Estimator.LSQ, values, upstream),
                gradients(new Estimator.Ewgs(0), values, upstream));
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void gradientsBecomeLongerOnlyAcrossTheRoundedValue(
            @ForAll("values") float[] values,
            @ForAll @DoubleRange(min = 0, max = 13) double delta) {
        float[] upstream = Floats.normal(values.length, 1, 4);
        float[] plain = gradients(Estimator.LSQ, values, upstream)[0];
        float[] scaled = gradients(new Estimator.Ewgs(delta), values, upstream)[0];
        for (int i = 0; i < values.length; i++) {
            float v = values[i] / .5f;
            boolean across = (v - Math.rint(v)) * upstream[i] >= 0;
            double longer = Math.abs(scaled[i]) - Math.abs(plain[i]);
            assertTrue(across ? longer >= 0 : longer <= 0, () -> "value " + v);
            assertTrue(scaled[i] * plain[i] >= 0, "below a delta of 14 no gradient turns around");
        }
    }

    @Test
    void refusesADeltaThatIsNegative() {
        assertEquals(
                "EWGS with delta -1.0: it must be finite and at least 0; the paper has 0.001",
                assertThrows(IllegalArgumentException.class, () -> new Estimator.Ewgs(-1))
                        .getMessage());
    }

    @Provide
    Arbitrary<float[]> values() {
        return Floats.values(.5f)
                .filter(Float::isFinite)
                .list()
                .ofMinSize(1)
                .ofMaxSize(40)
                .map(Floats::floats);
    }

    private float[][] gradients(Estimator estimator, float[] in, float[] upstream) {
        INDArray values = RowMajor.array(in, in.length);
        INDArray gradient = values.ulike();
        INDArray scaleGradient = scale.ulike();
        FakeQuantizer.of(CodeRange.signed(3), 0, estimator, Channels.NONE)
                .backward(
                        values,
                        scale,
                        RowMajor.array(upstream, upstream.length),
                        gradient,
                        scaleGradient,
                        in.length);
        return new float[][] {RowMajor.floats(gradient), RowMajor.floats(scaleGradient)};
    }
}
