// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The integer graph's functions are DL4J's. */
class PointwiseActivationTest {

    /* DL4J evaluates in float32 with approximations of exp and tanh. */
    private static final double TOLERANCE = 2e-5;

    @ParameterizedTest
    @EnumSource(
            value = Activation.class,
            names = {
                "LEAKYRELU",
                "ELU",
                "SIGMOID",
                "TANH",
                "HARDSIGMOID",
                "HARDTANH",
                "SWISH",
                "GELU",
                "SOFTPLUS",
                "SOFTSIGN"
            })
    void aTableHoldsTheValuesOfDl4jsFunction(Activation named) {
        requireEqual(named.getActivationFunction());
    }

    @Test
    void theExactGeluIsAnotherFunction() {
        requireEqual(new ActivationGELU(true));
    }

    private static void requireEqual(IActivation activation) {
        PointwiseActivation found = PointwiseActivation.of(activation).orElseThrow();
        for (double x = -6; x <= 6; x += 0.03125) {
            INDArray value = Nd4j.scalar((float) x).reshape(1, 1);
            double expected = activation.getActivation(value, false).getDouble(0);
            assertEquals(expected, found.function().apply(x, found.alpha()), TOLERANCE, "at " + x);
            assertTrue(!found.nonNegative() || expected >= 0);
        }
    }

    @Test
    void clampsBecomeBoundsOfCodes() {
        QuantParams output = new QuantParams(0.05f, -28, CodeRange.signed(8));
        assertEquals(CodeRange.signed(8), PointwiseActivation.IDENTITY.bounds(output));
        assertEquals(new CodeRange(-28, 127), PointwiseActivation.RELU.bounds(output));
        assertEquals(new CodeRange(-28, 92), PointwiseActivation.RELU6.bounds(output));
    }

    @Test
    void functionsThatTheGraphLacksAreEmpty() {
        assertTrue(PointwiseActivation.of(Activation.SOFTMAX.getActivationFunction()).isEmpty());
        assertTrue(PointwiseActivation.of(Activation.CUBE.getActivationFunction()).isEmpty());
    }
}
