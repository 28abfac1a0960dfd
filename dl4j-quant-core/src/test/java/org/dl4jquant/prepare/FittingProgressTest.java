// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Messages come every two seconds, not more often. */
class FittingProgressTest {

    private static final long HALF_A_SECOND = 500_000_000;

    @Test
    void saysEveryTwoSecondsHowFarItHasCome() {
        AtomicLong clock = new AtomicLong(Long.MAX_VALUE - HALF_A_SECOND);
        List<String> said = new ArrayList<>();
        FittingProgress progress = new FittingProgress(clock::get, said::add);
        for (int layer = 1; layer <= 9; layer++) {
            clock.addAndGet(HALF_A_SECOND);
            progress.weights(layer, 9);
        }
        for (int batch = 1; batch <= 4; batch++) {
            clock.addAndGet(HALF_A_SECOND);
            progress.examples(32 * batch);
        }
        assertEquals(
                List.of(
                        "Scales of weights: 4 of 9 layers",
                        "Scales of weights: 8 of 9 layers",
                        "Ranges of activations: 96 calibration examples"),
                said);
    }
}
