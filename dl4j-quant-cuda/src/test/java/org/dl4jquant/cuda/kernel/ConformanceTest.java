// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.jna.Memory;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The model of a GPU on the CPU, against what plain Java says of each function. */
class ConformanceTest {

    private static final int EXAMPLES = 64;

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"SM_75", "SM_80"})
    void theModelComputesWhatJavaSays(Architecture architecture) {
        byte[] inputs = Conformance.inputs(EXAMPLES, 1);
        int[] expected = Conformance.expected(inputs, architecture);
        Memory input = new Memory(inputs.length);
        input.write(0, inputs, 0, inputs.length);
        Memory output = new Memory((long) expected.length * Integer.BYTES);
        assertEquals(
                Optional.empty(),
                EmulatedKernels.available()
                        .of(Conformance.kernel(architecture))
                        .launch(EXAMPLES, 2, input, output));
        assertArrayEquals(expected, output.getIntArray(0, expected.length));
    }

    @Test
    void refusesPartsOfExamples() {
        assertEquals(
                "100 bytes of operands; an example has 1152",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Conformance.expected(new byte[100], Architecture.SM_80))
                        .getMessage());
        assertEquals(
                "operands of 0 examples",
                assertThrows(IllegalArgumentException.class, () -> Conformance.inputs(0, 1))
                        .getMessage());
    }
}
