// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class ChannelsTest {

    private static final long[] SHAPE = {2, 3, 4};

    @Test
    void withoutAxesTheTensorIsOneChannel() {
        assertEquals(1, Channels.NONE.count(SHAPE));
        assertArrayEquals(new long[] {0, 0, 0}, Channels.NONE.strides(SHAPE));
    }

    @Test
    void anAxisNumbersItsChannels() {
        assertEquals(3, Channels.axis(1).count(SHAPE));
        assertArrayEquals(new long[] {0, 1, 0}, Channels.axis(1).strides(SHAPE));
    }

    @Test
    void mergedAxesAreNumberedRowByRowInTheirOrder() {
        assertEquals(8, Channels.merged(0, 2).count(SHAPE));
        assertArrayEquals(new long[] {4, 0, 1}, Channels.merged(0, 2).strides(SHAPE));
        assertArrayEquals(new long[] {1, 0, 2}, Channels.merged(2, 0).strides(SHAPE));
    }

    @Test
    void refusesAnAxisThatIsNegative() {
        assertEquals(
                "channel axes [-1]: each must be 0 or more and stand only once",
                message(() -> Channels.axis(-1)));
    }

    @Test
    void refusesAnAxisThatStandsTwice() {
        assertEquals(
                "channel axes [1, 1]: each must be 0 or more and stand only once",
                message(() -> new Channels(List.of(1, 1))));
    }

    @Test
    void refusesATensorWithoutTheAxis() {
        assertEquals(
                "channel axis 3 of a tensor of shape [2, 3, 4]: the axis must be below 3",
                message(() -> Channels.axis(3).count(SHAPE)));
    }

    private static String message(Executable refused) {
        return assertThrows(IllegalArgumentException.class, refused).getMessage();
    }
}
