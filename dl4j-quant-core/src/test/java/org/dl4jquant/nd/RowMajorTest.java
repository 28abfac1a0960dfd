// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class RowMajorTest {

    private static final float[] ELEMENTS = {1, 2, 3, 4, 5, 6};
    private static final double[] WIDE = {1, 2, 3, 4, 5, 6};

    @Test
    void readsEveryLayout() {
        for (Map.Entry<String, INDArray> layout : Layouts.of(ELEMENTS, 2, 3).entrySet()) {
            assertArrayEquals(ELEMENTS, RowMajor.floats(layout.getValue()), layout.getKey());
            assertArrayEquals(WIDE, RowMajor.doubles(layout.getValue()), layout.getKey());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "DOUBLE", "HALF", "BYTE", "INT", "LONG", "UBYTE"})
    void readsEveryNumericType(DataType type) {
        INDArray columns = Layouts.of(ELEMENTS, 2, 3).get("f").castTo(type);
        assertArrayEquals(ELEMENTS, RowMajor.floats(columns));
        assertArrayEquals(WIDE, RowMajor.doubles(columns));
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "DOUBLE", "HALF", "INT"})
    void overwritesEveryType(DataType type) {
        INDArray target = Nd4j.zeros(type, 3, 2).transpose();
        RowMajor.copyInto(ELEMENTS, target);
        assertEquals(type, target.dataType());
        assertArrayEquals(ELEMENTS, RowMajor.floats(target));
        target.assign(0);
        RowMajor.copyInto(WIDE, target);
        assertArrayEquals(WIDE, RowMajor.doubles(target));
    }

    @Test
    void overwritesEveryLayoutAndNothingBesides() {
        for (Map.Entry<String, INDArray> layout : Layouts.of(new float[6], 2, 3).entrySet()) {
            RowMajor.copyInto(ELEMENTS, layout.getValue());
            assertArrayEquals(ELEMENTS, RowMajor.floats(layout.getValue()), layout.getKey());
            assertTrue(Layouts.gapsAreUntouched(layout.getValue()), layout.getKey());
        }
    }

    @Test
    void doublesKeepTheirPrecision() {
        INDArray target = Nd4j.create(DataType.DOUBLE, 1, 2);
        RowMajor.copyInto(new double[] {1.0 / 3, 1e-300}, target);
        assertArrayEquals(new double[] {1.0 / 3, 1e-300}, RowMajor.doubles(target));
    }

    @Test
    void theCopyIsIndependent() {
        INDArray array = RowMajor.array(ELEMENTS, 2, 3);
        RowMajor.floats(array)[0] = 99;
        RowMajor.doubles(array)[0] = 99;
        assertEquals(1, array.getFloat(0, 0));
    }

    @Test
    void newArraysBelongToNoWorkspace() {
        WorkspaceConfiguration configuration =
                WorkspaceConfiguration.builder().initialSize(1 << 20).build();
        try (MemoryWorkspace workspace =
                Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, "RowMajorTest")) {
            assertTrue(Nd4j.ones(2).isAttached(), workspace.getId());
            assertFalse(RowMajor.array(ELEMENTS, 2, 3).isAttached());
            assertFalse(Detached.compute(() -> Nd4j.ones(2)).isAttached());
            Detached.run(() -> assertFalse(Nd4j.ones(2).isAttached()));
            assertTrue(Nd4j.ones(2).isAttached(), "the workspace is open again");
        }
    }

    @Test
    void refusesElementsThatDoNotFit() {
        assertEquals(
                "6 elements for an array of 4; the numbers must be equal",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> RowMajor.copyInto(ELEMENTS, Nd4j.ones(2, 2)))
                        .getMessage());
        assertEquals(
                "6 elements for an array of 4; the numbers must be equal",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> RowMajor.copyInto(WIDE, Nd4j.ones(2, 2)))
                        .getMessage());
        assertEquals(
                "6 elements for an array of shape [2, 2], which has 4",
                assertThrows(IllegalArgumentException.class, () -> RowMajor.array(ELEMENTS, 2, 2))
                        .getMessage());
    }
}
