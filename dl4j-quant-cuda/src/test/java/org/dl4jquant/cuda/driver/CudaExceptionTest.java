// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The usual errors of the driver come with their remedy; numbers are those of cuda.h. */
final class CudaExceptionTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    2   | use a smaller batch or fewer contexts, or close what else uses the GPU
                    3   | call init first, and nothing after the process began to end
                    4   | call init first, and nothing after the process began to end
                    34  | this libcuda is the CUDA toolkit's stub; install the NVIDIA driver, or name its library in -Ddl4jquant.cuda.driver
                    100 | no GPU is visible to this process; see whether nvidia-smi lists one, look at CUDA_VISIBLE_DEVICES, and start containers with --gpus
                    101 | the GPU's number is not below deviceCount()
                    201 | make a context current in this thread first
                    209 | the machine code is for another architecture; compile it for this GPU's
                    218 | the driver is older than the compiler that made this PTX; update the driver, or compile to machine code (sm_XX)
                    222 | the driver is older than the compiler that made this PTX; update the driver, or compile to machine code (sm_XX)
                    500 | the module has nothing of that name
                    700 | a kernel touched memory that is not its own; the context cannot be used any more
                    716 | a kernel touched memory that is not its own; the context cannot be used any more
                    719 | a kernel touched memory that is not its own; the context cannot be used any more
                    701 | the launch asks for more registers or shared memory than a block can have on this GPU
                    803 | the driver's library and its kernel module differ; reboot, or install one version of both
                    804 | the driver's library and its kernel module differ; reboot, or install one version of both
                    """)
    void saysWhatToDo(int result, String remedy) {
        CudaException error = CudaException.of("cuCall(1)", result, "CUDA_ERROR", "text");
        assertEquals(
                "cuCall(1) failed: CUDA_ERROR (" + result + "), text; " + remedy,
                error.getMessage());
        assertEquals(result, error.result());
    }

    @Test
    void endsWithTheDriversTextWhereThereIsNoRemedy() {
        assertEquals(
                "cuCall(1) failed: CUDA_ERROR (999), text",
                CudaException.of("cuCall(1)", 999, "CUDA_ERROR", "text").getMessage());
    }
}
