// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class FloatCursorTest {

    private static final int[] CHUNKS = {1, 2, 3, 7, 1000};

    static long[][] shapes() {
        return new long[][] {{1}, {13}, {1, 5}, {5, 1}, {3, 4}, {2, 3, 4}, {3, 1, 2, 5}, {1, 1, 1}};
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void readsEveryLayoutRowByRow(long... shape) {
        float[] elements = counting(shape);
        for (Map.Entry<String, INDArray> layout : Layouts.of(elements, shape).entrySet()) {
            for (int chunk : CHUNKS) {
                assertArrayEquals(
                        elements,
                        read(layout.getValue(), Walk.rowMajor(shape), chunk),
                        layout.getKey());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void writesEveryLayoutAndNothingBesides(long... shape) {
        float[] elements = counting(shape);
        float[] zeros = new float[elements.length];
        for (Map.Entry<String, INDArray> layout : Layouts.of(zeros, shape).entrySet()) {
            INDArray target = layout.getValue();
            for (int chunk : CHUNKS) {
                write(elements, target, Walk.rowMajor(shape), chunk);
                assertEquals(
                        Nd4j.createFromArray(elements).reshape('c', shape),
                        target,
                        layout.getKey());
                assertTrue(Layouts.gapsAreUntouched(target), layout.getKey());
                target.assign(0);
            }
        }
    }

    /** Whatever the leader's layout, positions mean the same elements in both arrays. */
    @ParameterizedTest
    @MethodSource("shapes")
    void copiesBetweenAnyTwoLayouts(long... shape) {
        float[] elements = counting(shape);
        float[] zeros = new float[elements.length];
        for (INDArray source : Layouts.of(elements, shape).values()) {
            for (Map.Entry<String, INDArray> to : Layouts.of(zeros, shape).entrySet()) {
                Walk walk = Walk.inStorageOrderOf(to.getValue());
                write(read(source, walk, 7), to.getValue(), walk, 5);
                assertEquals(source, to.getValue(), to.getKey());
            }
        }
    }

    @Test
    void walksDenseArraysInTheOrderOfTheirMemory() {
        float[] elements = {0, 1, 2, 3, 4, 5};
        INDArray columns = Layouts.of(elements, 2, 3).get("f");
        assertArrayEquals(
                new float[] {0, 3, 1, 4, 2, 5}, read(columns, Walk.inStorageOrderOf(columns), 4));
    }

    @Test
    void aScalarIsOneElement() {
        INDArray scalar = Nd4j.scalar(7f);
        assertArrayEquals(new float[] {7}, read(scalar, Walk.inStorageOrderOf(scalar), 1));
    }

    @Test
    void refusesOtherTypes() {
        INDArray doubles = Nd4j.ones(DataType.DOUBLE, 2);
        assertFalse(FloatCursor.reaches(doubles));
        assertEquals(
                "an array of type DOUBLE on ND4J's CpuBackend: only FLOAT arrays of the CPU backend"
                        + " can be reached; cast it with castTo(DataType.FLOAT)",
                message(doubles, Walk.rowMajor(2)));
    }

    @Test
    void refusesAClosedArray() {
        INDArray closed = Nd4j.ones(DataType.FLOAT, 2);
        closed.close();
        assertEquals(
                "the array has been closed; its memory is gone", message(closed, Walk.rowMajor(2)));
    }

    @Test
    void refusesAnotherShape() {
        assertEquals(
                "an array of shape [3, 2] beside one of shape [2, 3]; the shapes must be equal",
                message(Nd4j.ones(DataType.FLOAT, 3, 2), Walk.rowMajor(2, 3)));
    }

    @Test
    void refusesAWalkWithoutElements() {
        assertEquals(
                "an array of shape [2, 0] has no elements; there must be at least one",
                assertThrows(IllegalArgumentException.class, () -> Walk.rowMajor(2, 0))
                        .getMessage());
    }

    private static String message(INDArray array, Walk walk) {
        return assertThrows(IllegalArgumentException.class, () -> FloatCursor.of(array, walk))
                .getMessage();
    }

    private static float[] counting(long[] shape) {
        float[] elements = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = i + 1;
        }
        return elements;
    }

    private static float[] read(INDArray array, Walk walk, int chunk) {
        FloatCursor cursor = FloatCursor.of(array, walk);
        float[] elements = new float[(int) walk.length()];
        float[] buffer = new float[chunk];
        for (int from = 0; from < elements.length; from += chunk) {
            int count = Math.min(chunk, elements.length - from);
            cursor.read(from, buffer, count);
            System.arraycopy(buffer, 0, elements, from, count);
        }
        return elements;
    }

    private static void write(float[] elements, INDArray array, Walk walk, int chunk) {
        FloatCursor cursor = FloatCursor.of(array, walk);
        for (int from = 0; from < elements.length; from += chunk) {
            int to = Math.min(from + chunk, elements.length);
            cursor.write(from, Arrays.copyOfRange(elements, from, to), to - from);
        }
    }
}
