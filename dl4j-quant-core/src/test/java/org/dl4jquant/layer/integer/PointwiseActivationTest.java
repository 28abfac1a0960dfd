// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Constructor;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.dl4jquant.ActivationFunctions;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationPReLU;
import org.nd4j.linalg.activations.impl.ActivationRReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The integer graph's functions are DL4J's, for every class and every value of its parameters. */
class PointwiseActivationTest {

    /** Relative, above 1: DL4J evaluates in float32 with approximations of exp and tanh. */
    private static final double TOLERANCE = 2e-5;

    /** RReLU is random in training, the others are no functions of one element. */
    private static final Set<Class<?>> NOT_KNOWN =
            Set.of(ActivationPReLU.class, ActivationRReLU.class, ActivationSoftmax.class);

    static Stream<IActivation> functions() {
        return ActivationFunctions.all();
    }

    @Test
    void everyClassOfDl4jIsTriedWithAllItsConstructors() {
        Set<String> tried = new TreeSet<>();
        functions().forEach(function -> tried.add(function.getClass().getName()));
        Set<String> all = new TreeSet<>();
        for (Class<?> type : ActivationFunctions.classes()) {
            for (Constructor<?> constructor : type.getConstructors()) {
                assertTrue(
                        ActivationFunctions.canCall(constructor) || NOT_KNOWN.contains(type),
                        () -> "no arguments for " + constructor);
            }
            all.add(type.getName());
        }
        all.remove(ActivationPReLU.class.getName());
        assertEquals(all, tried);
    }

    @ParameterizedTest
    @MethodSource("functions")
    void theFunctionIsThatOfDl4jOrUnknown(IActivation activation) {
        Optional<PointwiseActivation> found = PointwiseActivation.of(activation);
        assertEquals(!NOT_KNOWN.contains(activation.getClass()), found.isPresent());
        found.ifPresent(known -> requireEqual(activation, known));
    }

    private static void requireEqual(IActivation activation, PointwiseActivation found) {
        DoubleUnaryOperator function =
                found.function() == null
                        ? x -> Math.min(found.most(), Math.max(found.least(), x))
                        : found.function()::apply;
        boolean reachesBelow = false;
        float[] arguments = ActivationFunctions.arguments();
        INDArray values = activation.getActivation(Nd4j.createFromArray(arguments.clone()), false);
        for (int i = 0; i < arguments.length; i++) {
            float x = arguments[i];
            double expected = values.getDouble(i);
            assertEquals(
                    expected,
                    function.applyAsDouble(x),
                    TOLERANCE * Math.max(1, Math.abs(expected)),
                    () -> activation + " at " + x);
            reachesBelow |= expected < 0;
        }
        assertEquals(!reachesBelow, found.nonNegative(), activation::toString);
    }

    /** A user's ReLU that is none. */
    private static final class Shifted extends ActivationReLU {
        @Override
        public INDArray getActivation(INDArray in, boolean training) {
            return super.getActivation(in, training).addi(1);
        }
    }

    @Test
    void aSubclassOfAKnownFunctionIsUnknown() {
        assertTrue(PointwiseActivation.of(new Shifted()).isEmpty());
        assertTrue(PointwiseActivation.of(new ActivationTanH() {}).isEmpty());
        assertTrue(PointwiseActivation.of(new ActivationIdentity() {}).isEmpty());
        assertFalse(PointwiseActivation.isIdentity(new ActivationIdentity() {}));
        assertTrue(PointwiseActivation.isIdentity(new ActivationIdentity()));
    }

    @Test
    void clampsBecomeBoundsOfCodes() {
        QuantParams output = new QuantParams(0.05f, -28, CodeRange.signed(8));
        assertEquals(CodeRange.signed(8), PointwiseActivation.IDENTITY.bounds(output));
        assertEquals(new CodeRange(-28, 127), PointwiseActivation.RELU.bounds(output));
        assertEquals(new CodeRange(-28, 92), PointwiseActivation.RELU6.bounds(output));
    }

    @Test
    void functionsOfOneMeaningAreOneClamp() {
        for (IActivation relu :
                new IActivation[] {
                    new ActivationReLU(),
                    new ActivationReLU(null, null, null),
                    new ActivationReLU(null, 0.0, 0.0),
                    new ActivationLReLU(0)
                }) {
            assertEquals(PointwiseActivation.RELU, PointwiseActivation.of(relu).orElseThrow());
        }
        IActivation relu6 = new ActivationReLU(6.0, 0.0, 0.0);
        assertEquals(PointwiseActivation.RELU6, PointwiseActivation.of(relu6).orElseThrow());
    }
}
