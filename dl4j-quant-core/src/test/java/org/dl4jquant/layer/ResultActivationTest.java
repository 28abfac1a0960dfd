// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.dl4jquant.ActivationFunctions;
import org.dl4jquant.layer.integer.OutputFunctions;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.OutputFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationPReLU;
import org.nd4j.linalg.activations.impl.ActivationRReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** The functions of results are DL4J's, up to float32; training computes with DL4J's own. */
class ResultActivationTest {

    /** Relative, above 1: DL4J evaluates in float32 with approximations of exp and tanh. */
    private static final double TOLERANCE = 2e-5;

    /**
     * PReLU has the parameters of another layer. RReLU gives in inference the mean slope itself
     * instead of its product with what is negative.
     */
    private static final Set<Class<?>> NOT_KNOWN =
            Set.of(ActivationPReLU.class, ActivationRReLU.class);

    static Stream<IActivation> functions() {
        return ActivationFunctions.all();
    }

    private static INDArray arguments(long... shape) {
        float[] all = ActivationFunctions.arguments();
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        float[] some = new float[(int) length];
        for (int i = 0; i < some.length; i++) {
            some[i] = all[i * 7 % all.length];
        }
        return Nd4j.createFromArray(some).reshape('c', shape);
    }

    @ParameterizedTest
    @MethodSource("functions")
    void inferenceIsThatOfDl4jAlongTheSameAxis(IActivation function) {
        assertEquals(
                !NOT_KNOWN.contains(function.getClass()),
                OutputFunctions.of(function, 0).isPresent());
        IActivation result = ResultActivation.of(function);
        for (long[] shape : new long[][] {{263, 1}, {37, 7}, {5, 4, 3}, {3, 4, 2, 5}}) {
            INDArray expected = function.getActivation(arguments(shape), false);
            for (char order : new char[] {'c', 'f'}) {
                INDArray found = result.getActivation(arguments(shape).dup(order), false);
                requireNear(function, expected, found);
            }
        }
    }

    private static void requireNear(IActivation function, INDArray expected, INDArray found) {
        float[] left = RowMajor.floats(expected);
        float[] right = RowMajor.floats(found);
        for (int i = 0; i < left.length; i++) {
            int at = i;
            assertEquals(
                    left[i],
                    right[i],
                    TOLERANCE * Math.max(1, Math.abs(left[i])),
                    () -> function + " at " + at);
        }
    }

    @ParameterizedTest
    @MethodSource("functions")
    void trainingIsDl4jsOwn(IActivation function) {
        if (function instanceof ActivationRReLU) {
            return; // random: each call is another function
        }
        IActivation result = ResultActivation.of(function);
        assertEquals(
                function.getActivation(arguments(37, 7), true),
                result.getActivation(arguments(37, 7), true));
        assertEquals(
                function.backprop(arguments(37, 7), arguments(37, 7)).getFirst(),
                result.backprop(arguments(37, 7), arguments(37, 7)).getFirst());
    }

    @ParameterizedTest
    @MethodSource("functions")
    void modelFilesKeepIt(IActivation function) {
        LossLayer loss = new LossLayer.Builder(new LossMSE()).build();
        loss.setActivationFn(ResultActivation.of(function));
        NeuralNetConfiguration conf = new NeuralNetConfiguration.Builder().layer(loss).build();
        NeuralNetConfiguration read = NeuralNetConfiguration.fromJson(conf.toJson());
        assertEquals(loss.getActivationFn(), ((LossLayer) read.getLayer()).getActivationFn());
    }

    @Test
    void lossesStillSeeASoftmax() {
        assertInstanceOf(ActivationSoftmax.class, ResultActivation.of(new ActivationSoftmax()));
        assertEquals(
                Optional.of(List.of(new OutputFunction.Softmax(2))),
                OutputFunctions.of(ResultActivation.of(new ActivationSoftmax()), 2));
    }

    @Test
    void whatIsUnknownOrAnIdentityStaysAsItIs() {
        IActivation identity = new ActivationIdentity();
        IActivation own = new ActivationTanH() {};
        assertSame(identity, ResultActivation.of(identity));
        assertSame(own, ResultActivation.of(own));
        IActivation known = ResultActivation.of(new ActivationTanH());
        assertSame(known, ResultActivation.of(known));
        assertTrue(OutputFunctions.of(own, 0).isEmpty());
        assertTrue(OutputFunctions.of(new ActivationSoftmax() {}, 0).isEmpty());
    }

    @Test
    void theFamilyOfReluIsRectifiersOfAllItsParameters() {
        assertEquals(
                List.of(
                        new OutputFunction.Slope(0, 0.3f),
                        new OutputFunction.Clamp(Float.NEGATIVE_INFINITY, 6)),
                OutputFunctions.of(new ActivationReLU(6.0, null, 0.3), 0).orElseThrow());
        assertEquals(
                List.of(new OutputFunction.Slope(1, 0)),
                OutputFunctions.of(new ActivationReLU(null, 1.0, null), 0).orElseThrow());
        assertEquals(
                List.of(new OutputFunction.Clamp(0, 6)),
                OutputFunctions.of(new ActivationReLU(6.0, 0.0, 0.0), 0).orElseThrow());
    }
}
