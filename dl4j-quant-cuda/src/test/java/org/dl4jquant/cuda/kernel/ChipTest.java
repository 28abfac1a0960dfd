// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChipTest {

    /* Names as the driver gives them. */
    @ParameterizedTest
    @CsvSource({
        "NVIDIA H200, H200",
        "NVIDIA H100 80GB HBM3, H100",
        "NVIDIA A100-SXM4-80GB, A100",
        "NVIDIA L4, L4",
        "NVIDIA A10, A10",
        "Tesla T4, T4",
        "NVIDIA L40S,",
        "NVIDIA H100 PCIe,",
        "NVIDIA A100-PCIE-40GB,",
        "NVIDIA H200 NVL,",
    })
    void isFoundByTheDriversName(String name, Chip chip) {
        assertEquals(Optional.ofNullable(chip), Chip.ofDevice(name));
    }
}
