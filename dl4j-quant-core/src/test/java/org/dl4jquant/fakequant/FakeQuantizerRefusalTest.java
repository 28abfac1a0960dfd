// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class FakeQuantizerRefusalTest {

    private static final FakeQuantizer ROWS =
            FakeQuantizer.of(CodeRange.signed(8), 0, Estimator.LSQ, Channels.axis(0));

    private final INDArray values = Nd4j.ones(DataType.FLOAT, 2, 3);
    private final INDArray turned = Nd4j.ones(DataType.FLOAT, 3, 2);
    private final INDArray two = Nd4j.ones(DataType.FLOAT, 2);
    private final INDArray three = Nd4j.ones(DataType.FLOAT, 3);

    @Test
    void refusesAZeroPointOutsideTheCodes() {
        assertEquals(
                "zero point 8 is outside the codes [-8, 7]",
                message(
                        () ->
                                FakeQuantizer.of(
                                        CodeRange.signed(4), 8, Estimator.LSQ, Channels.NONE)));
    }

    @Test
    void refusesAnEmptyTensor() {
        INDArray empty = Nd4j.create(DataType.FLOAT, 2, 0);
        String expected = "a tensor of shape [2, 0] has no elements to round";
        assertEquals(expected, message(() -> ROWS.forward(empty, two, empty)));
        assertEquals(expected, message(() -> ROWS.containers(empty, two)));
    }

    @Test
    void refusesAResultOfAnotherShape() {
        String expected = "the result has shape [3, 2], the values have [2, 3]; they must be equal";
        assertEquals(expected, message(() -> ROWS.forward(values, two, turned)));
        assertEquals(expected, message(() -> ROWS.codes(values, two, turned)));
        assertEquals(expected, message(() -> ROWS.backward(values, two, values, turned, null, 1)));
    }

    @Test
    void refusesAnUpstreamGradientOfAnotherShape() {
        assertEquals(
                "the upstream gradient has shape [3, 2], the values have [2, 3]; they must be"
                        + " equal",
                message(() -> ROWS.backward(values, two, turned, values, null, 1)));
    }

    @Test
    void refusesScalesThatDoNotFitTheChannels() {
        assertEquals(
                "3 scales for 2 channels; there must be one for each",
                message(() -> ROWS.forward(values, three, values)));
        assertEquals(
                "3 scale gradients for 2 channels; there must be one for each",
                message(() -> ROWS.backward(values, two, values, values, three, 1)));
    }

    @Test
    void refusesATensorWithoutTheChannelAxis() {
        FakeQuantizer third =
                FakeQuantizer.of(CodeRange.signed(8), 0, Estimator.LSQ, Channels.axis(2));
        assertEquals(
                "channel axis 2 of a tensor of shape [2, 3]: the axis must be below 2",
                message(() -> third.forward(values, two, values)));
    }

    @Test
    void refusesToShareAScaleAmongNoElements() {
        assertEquals(
                "0 elements share a scale; their number must be above 0",
                message(() -> ROWS.backward(values, two, values, values, two, 0)));
    }

    @Test
    void refusesTypesThatDiffer() {
        assertEquals(
                "an array of type DOUBLE beside one of type FLOAT; the types must be equal",
                message(() -> ROWS.forward(values, two.castTo(DataType.DOUBLE), values)));
        assertEquals(
                "an array of type DOUBLE beside one of type FLOAT; the types must be equal",
                message(
                        () ->
                                ROWS.backward(
                                        values,
                                        two,
                                        values.castTo(DataType.DOUBLE),
                                        values,
                                        two,
                                        1)));
    }

    /** Read as float32, the memory of a half array would end too early and crash the JVM. */
    @Test
    void refusesHalfArrays() {
        INDArray halves = values.castTo(DataType.FLOAT16);
        assertEquals(
                "arrays of type HALF; quantizers compute with FLOAT or DOUBLE only, set the"
                        + " network's data type to one of them (to simulate half precision, use"
                        + " Fp16Format)",
                message(() -> ROWS.forward(halves, two.castTo(DataType.FLOAT16), halves)));
    }

    private static String message(Executable refused) {
        return assertThrows(IllegalArgumentException.class, refused).getMessage();
    }
}
