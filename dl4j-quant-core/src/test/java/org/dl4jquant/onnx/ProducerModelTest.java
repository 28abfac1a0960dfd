// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random networks in the styles of other tools: read, and equal to ONNX Runtime on both files. */
class ProducerModelTest {

    private static final int MODELS = 25;
    private static final int RUNS = 2;

    @ParameterizedTest
    @EnumSource(ProducerModel.Style.class)
    void readsNetworksOfOtherToolsAsOnnxRuntimeComputesThem(ProducerModel.Style style)
            throws Exception {
        int exact = 0;
        for (long seed = 0; seed < MODELS; seed++) {
            byte[] bytes = ProducerModel.of(style, seed);
            String name = style + " of seed " + seed;
            OnnxReading reading = OnnxReader.inspect(bytes, name);
            ForeignComparison.compare(bytes, reading, name, RUNS);
            exact += reading.deviations().isEmpty() ? 1 : 0;
        }
        assertTrue(exact > 0, style + ": ONNX Runtime would compute some node of each in float");
    }
}
