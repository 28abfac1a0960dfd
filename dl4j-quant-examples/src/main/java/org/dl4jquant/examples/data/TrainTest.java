// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.data;

import org.dl4jquant.check.Require;

/**
 * Images to train with and others to test with, of one size and the same classes.
 *
 * @param train to train with
 * @param test to test with
 */
public record TrainTest(LabelledImages train, LabelledImages test) {

    /** Checks that both parts go together. */
    public TrainTest {
        Require.argument(
                train.shape().equals(test.shape()) && train.classes().equals(test.classes()),
                "training has %s and test has %s: size and classes must be the same",
                train,
                test);
    }

    /**
     * {@return the first images of each part, at most as many as there are}
     *
     * @param trainCount how many to train with, above 0
     * @param testCount how many to test with, above 0
     */
    public TrainTest first(int trainCount, int testCount) {
        return new TrainTest(train.first(trainCount), test.first(testCount));
    }
}
