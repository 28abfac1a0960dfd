// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Golden values of PACT (alpha 1.4) and LSQ+ (scale 0.25, offset -0.75), 3 unsigned bits. They come
 * from a NumPy script with the papers' own formulas: equations 1 to 3 of arXiv 1805.06085, and
 * equations 3 to 6 of arXiv 2004.09576.
 */
final class LearnedRangeOracleTest {

    private static final float[] UPSTREAM = {1, -1, 2, 1, -2, 1, .5f, 1, -3, 1.5f};

    /* The values themselves are float32 numbers near decimal ones, 2^-24 of at most 8 away. */
    private static final float TOLERANCE = 2e-6f;

    private static final Estimator PACT = new Estimator.Pact(0);

    private static final float[] PACT_VALUES = {
        -.5f, 0, .09f, .31f, .77f, 1.12f, 1.39f, 1.4f, 1.6f, 3
    };
    private static final float ALPHA = 1.4f;

    private static final float[] PLUS_VALUES = {-2, -.8f, -.7f, -.3f, 0, .1f, .4f, .95f, 1.2f, 3};
    private static final float PLUS_SCALE = .25f;

    /** The gradients of one backward pass. */
    private record Gradients(INDArray array, float scale, float zeroPoint) {
        float[] values() {
            return RowMajor.floats(array);
        }
    }

    @Test
    void pactRoundsWhatItClips() {
        float[] rounded = {0, 0, 0, .4f, .8f, 1.2f, 1.4f, 1.4f, 1.4f, 1.4f};
        assertArrayEquals(rounded, forward(PACT, 0, PACT_VALUES, ALPHA / 7), TOLERANCE);
    }

    @Test
    void pactPassesGradientsBelowAlphaAndGivesAlphaTheOthers() {
        Gradients gradients = backward(PACT, 0, PACT_VALUES, ALPHA / 7, UPSTREAM);
        assertArrayEquals(new float[] {0, 0, 2, 1, -2, 1, .5f, 0, 0, 0}, abs0(gradients.values()));
        // One step of length eta: alpha' = 7 (s - eta ds) = alpha - eta dalpha, so ds = dalpha / 7.
        assertEquals(-.5f, gradients.scale() * 7, TOLERANCE);
        assertEquals(0, gradients.zeroPoint());
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void pactsClippingValueLearnsFromClippedValuesOnly(@ForAll("values") float[] values) {
        float[] upstream = Floats.normal(values.length, 1, 5);
        double clipped = 0;
        for (int i = 0; i < values.length; i++) {
            // The scale is a power of two, so the quotient is exact.
            clipped += values[i] / PLUS_SCALE >= 7 ? upstream[i] : 0;
        }
        float scale = backward(PACT, 0, values, PLUS_SCALE, upstream).scale();
        assertEquals(clipped, scale * 7, TOLERANCE * values.length);
    }

    @Test
    void lsqPlusRoundsToMultiplesOfTheScaleAboveTheOffset() {
        float[] rounded = {-.75f, -.75f, -.75f, -.25f, 0, 0, .5f, 1, 1, 1};
        assertArrayEquals(rounded, forward(Estimator.LSQ_PLUS, 3, PLUS_VALUES, PLUS_SCALE));
    }

    @Test
    void lsqPlusGivesTheOffsetTheGradientsOfClippedValues() {
        Gradients gradients = backward(Estimator.LSQ_PLUS, 3, PLUS_VALUES, PLUS_SCALE, UPSTREAM);
        assertArrayEquals(new float[] {0, 0, 2, 1, -2, 1, .5f, 1, 0, 0}, abs0(gradients.values()));
        double g = 1 / Math.sqrt(PLUS_VALUES.length * 4);
        // beta = -s z, so a step of z by -eta dz moves beta by eta s dz: the paper's is -eta dbeta.
        assertEquals(-1.5 * g, -PLUS_SCALE * gradients.zeroPoint(), TOLERANCE);
        assertEquals(-6.2 * g, gradients.scale(), TOLERANCE, "with the zero point held");
    }

    /* Between its kinks, the surrogate clip(x, beta, beta + 7 s) is linear in beta. */
    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void lsqPlusOffsetFollowsTheClippedSurrogate(@ForAll("values") float[] values) {
        float[] upstream = Floats.normal(values.length, 1, 5);
        double difference = 0;
        double step = 0x1p-12;
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (Math.rint(values[i] * 64) / 64 + 0x1p-8);
            difference += upstream[i] * (clip(values[i], step) - clip(values[i], -step));
        }
        double slope = difference / (2 * step);
        float zeroPoint = backward(Estimator.LSQ_PLUS, 3, values, PLUS_SCALE, upstream).zeroPoint();
        double g = 1 / Math.sqrt(values.length * 4);
        assertEquals(slope * g, -PLUS_SCALE * zeroPoint, TOLERANCE * values.length);
    }

    private static double clip(double x, double moved) {
        double beta = -3 * PLUS_SCALE + moved;
        return Math.min(Math.max(x, beta), beta + 7 * PLUS_SCALE);
    }

    @Provide
    Arbitrary<float[]> values() {
        return Arbitraries.floats()
                .between(-4, 4)
                .ofScale(4)
                .list()
                .ofMinSize(1)
                .ofMaxSize(40)
                .map(Floats::floats);
    }

    private static float[] forward(Estimator estimator, int zeroPoint, float[] in, float scale) {
        INDArray values = RowMajor.array(in, in.length);
        FakeQuantizer.of(CodeRange.unsigned(3), zeroPoint, estimator, Channels.NONE)
                .forward(values, RowMajor.array(new float[] {scale}, 1), values);
        return RowMajor.floats(values);
    }

    private static Gradients backward(
            Estimator estimator, int zeroPoint, float[] in, float scale, float[] upstream) {
        INDArray values = RowMajor.array(in, in.length);
        INDArray byScale = RowMajor.array(new float[] {7}, 1);
        INDArray byZeroPoint = RowMajor.array(new float[] {7}, 1);
        FakeQuantizer.of(CodeRange.unsigned(3), zeroPoint, estimator, Channels.NONE)
                .backward(
                        values,
                        RowMajor.array(new float[] {scale}, 1),
                        RowMajor.array(upstream, upstream.length),
                        values,
                        byScale,
                        byZeroPoint,
                        in.length);
        return new Gradients(values, byScale.getFloat(0), byZeroPoint.getFloat(0));
    }

    private static float[] abs0(float[] numbers) {
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] += 0f;
        }
        return numbers;
    }
}
