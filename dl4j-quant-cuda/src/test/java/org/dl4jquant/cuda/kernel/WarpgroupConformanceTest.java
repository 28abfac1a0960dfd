// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import java.util.Optional;
import java.util.stream.Stream;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.cuda.kernel.CubinInspection.Opcode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The model of a warpgroup's products on the CPU: what it computes, and what it refuses. */
class WarpgroupConformanceTest {

    private static final int EXAMPLES = 3;
    private static final KernelSpec SPEC = WarpgroupConformance.kernel();

    private static Optional<String> launch(EmulatedKernels kernels, long seed, Memory output) {
        byte[] inputs = WarpgroupConformance.inputs(EXAMPLES, 1);
        Memory input = new Memory(inputs.length);
        input.write(0, inputs, 0, inputs.length);
        return kernels.of(SPEC).launch(EXAMPLES, seed, input, output);
    }

    private static Memory output() {
        return new Memory((long) EXAMPLES * WarpgroupConformance.RESULT_WORDS * Integer.BYTES);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3})
    void theModelComputesWhatJavaSays(long seed) {
        Memory output = output();
        assertEquals(Optional.empty(), launch(EmulatedKernels.available(), seed, output));
        int[] expected = WarpgroupConformance.expected(WarpgroupConformance.inputs(EXAMPLES, 1));
        assertArrayEquals(expected, output.getIntArray(0, expected.length));
    }

    @Test
    void compilesToProductsThatNothingSerializes() {
        CompiledCuda compiled = CompiledKernels.compile(SPEC, Architecture.SM_90A);
        CubinInspection found = CubinInspection.of(compiled.cubin()).get(SPEC.entry());
        assertEquals(9, found.count(Opcode.IGMMA), found.toString());
        assertFalse(found.usesLocalMemory(), found.toString());
        assertFalse(compiled.log().contains("C75"), compiled.log());
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                Arguments.of(
                        "publish_shared();",
                        "",
                        "reads 0 of shared memory, which thread 0 wrote without a proxy fence"),
                Arguments.of(
                        "store_matrix<ROW_BYTES>(RIGHT, input + RIGHT, RIGHT_ROWS);",
                        "",
                        "reads 8192 of shared memory, where nothing was written"),
                Arguments.of(
                        "commit_products();\n    wait_products<1>();",
                        "if (thread_index() == 127) { store_shared<u8>(8191, 1); }"
                                + " commit_products(); wait_products<1>();",
                        "8176 of shared memory changed while the product of line \\d+ read it"),
                Arguments.of(
                        "settle_sums<128>(sums);\n    fence_products();",
                        "",
                        "lacks a wgmma.fence behind what used its sums before"),
                Arguments.of(
                        "settle_sums<64>(sums);\n",
                        "settle_sums<64>(sums); sums[5]++;\n",
                        "thread 0's sums of line \\d+ changed behind their wgmma.fence"),
                Arguments.of(
                        "wait_products<0>();\n    store(output, sums);",
                        "store(output, sums); wait_products<0>();",
                        "the sums in line \\d+ are used while [124] products are under way"),
                Arguments.of(
                        "wait_products<0>();\n    store(output + 32, sums[1]);",
                        "",
                        "1 products were never waited for"),
                Arguments.of(
                        "multiply_quarter<true, 128, 64>(sums, 0);",
                        "multiply_quarter<true, 64, 64>(sums, 0);",
                        "has 64 columns, others under way to its sums have 128"),
                Arguments.of(
                        "settle_sums<64>(sums);\n",
                        "settle_sums<64>(sums); if (thread_index() < 32) { commit_products(); }",
                        "is at wgmma.fence of line \\d+, but another warp of its warpgroup was at"
                                + " wgmma.commit_group"),
                Arguments.of(
                        "store(output + 32, sums[1]);",
                        "if (thread_index() < 32) { commit_products(); }",
                        "warp 1 took 25 of its warpgroup's 26 steps of wgmma"),
                Arguments.of(
                        "multiply_quarter<false, 256, 128>(sums, 3);",
                        "multiply_quarter<false, 256, 128>(sums, thread_index() / 32);",
                        "multiplies other matrices in line \\d+ than another warp"),
                Arguments.of(
                        "multiply_quarter<false, 256, 128>(sums, 3);",
                        "multiply_quarter<false, 256, 128>(sums, thread_index() % 2);",
                        "lanes 0 and 1 multiply different matrices"),
                Arguments.of(
                        "quarter * 32 % ROW_BYTES;",
                        "quarter * 32 % ROW_BYTES + 128;",
                        "begins at 128, which is byte 128 of eight rows of 128 bytes"),
                Arguments.of(
                        "describe_matrix<ROW_BYTES>(LEFT +",
                        "describe_matrix<ROW_BYTES>(40960 +",
                        "wgmma of 16 bytes at 40960 leaves the 40960 bytes of shared memory"),
                Arguments.of(
                        "u64 right = describe",
                        "left |= 1ull << 49; u64 right = describe",
                        "the left matrix's descriptor \\w+ in line \\d+ sets bits"));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void aFaultIsNamed(String from, String to, String message) {
        EmulatedKernels edited =
                EmulatedKernels.available()
                        .edited(
                                source -> {
                                    assertTrue(source.contains(from), "occurs: " + from);
                                    return source.replace(from, to);
                                });
        String fault = launch(edited, 0, output()).orElse("no fault");
        assertTrue(fault.matches("(?s).*" + message + ".*"), fault);
    }

    @Test
    void aWarpgroupHasFourWarps() {
        KernelSpec small =
                new KernelSpec(
                        SPEC.file(),
                        SPEC.constants(),
                        new Launch(1, 1, 1, 96, WarpgroupConformance.INPUT_BYTES),
                        1);
        Memory input = new Memory(WarpgroupConformance.INPUT_BYTES);
        assertEquals(
                "needs a warpgroup of 128 threads; the block has 96",
                EmulatedKernels.available()
                        .edited(source -> source.replace("THREADS = 128", "THREADS = 96"))
                        .of(small)
                        .launch(1, 0, input, output())
                        .orElse("no fault")
                        .replaceAll(".*line \\d+ ", ""));
    }

    @Test
    void refusesPartsOfExamples() {
        assertEquals(
                "100 bytes of operands; an example has 40960",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> WarpgroupConformance.expected(new byte[100]))
                        .getMessage());
        assertEquals(
                "operands of 0 examples",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> WarpgroupConformance.inputs(0, 1))
                        .getMessage());
    }
}
