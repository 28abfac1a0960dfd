// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.dl4jquant.examples.cli.CommandLines;
import org.junit.jupiter.api.Test;

/**
 * The example on Spark at toy size. It starts Spark itself, which a JVM does only once at a time.
 */
final class SparkTrainingTest {

    @Test
    void theExampleTrainsInLocalMode() {
        assertEquals(
                CommandLines.OK,
                CommandLines.run(
                        new SparkTraining(), "--train", "64", "--test", "20", "--epochs", "1"));
    }

    @Test
    void theExampleRefusesWorkersThatCannotBe() {
        assertEquals(
                CommandLines.WRONG_INPUT, CommandLines.run(new SparkTraining(), "--workers", "0"));
    }
}
