// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dl4jquant.examples.data.StrokeDigits;
import org.junit.jupiter.api.Test;

/**
 * The example on Spark at toy size. It starts Spark itself, which a JVM does only once at a time.
 */
final class SparkTrainingTest {

    /* One epoch in float leaves a network that every further one improves by tens of points, so that
     * the gain does not depend on which worker gets which batch. */
    private static final double LEAST_GAIN = 0.05;

    @Test
    void trainingOnSparkGainsAccuracyAndTheEnginesAgree() {
        SparkTraining.Result result = SparkTraining.run(StrokeDigits.split(1, 512, 200), 1, 2);
        assertTrue(result.engines().codesCompared() > 0);
        assertTrue(result.engines().equal(), result.engines().toString());
        assertTrue(
                result.trained() >= result.calibrated() + LEAST_GAIN,
                () -> result.calibrated() + " before, " + result.trained() + " after");
    }
}
