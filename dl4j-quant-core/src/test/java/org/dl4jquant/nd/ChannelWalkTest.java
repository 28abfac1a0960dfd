// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Compared with the channel that follows from each element's index, for every layout. */
final class ChannelWalkTest {

    private static final long[] SHAPE = {2, 3, 4, 5};
    private static final int LENGTH = 120;
    private static final int[] CHUNKS = {1, 4, 7, 33, LENGTH};

    static List<Channels> channels() {
        return List.of(
                Channels.NONE,
                Channels.axis(0),
                Channels.axis(1),
                Channels.axis(2),
                Channels.axis(3),
                Channels.merged(0, 1),
                Channels.merged(1, 0),
                Channels.merged(0, 3),
                Channels.merged(3, 1),
                Channels.merged(2, 3, 0),
                Channels.merged(0, 1, 2, 3));
    }

    @ParameterizedTest
    @MethodSource("channels")
    void givesEachElementItsChannelsNumber(Channels channels) {
        float[] perChannel = numbers(channels.count(SHAPE));
        for (Map.Entry<String, INDArray> layout : layouts(channels).entrySet()) {
            Walk walk = Walk.inStorageOrderOf(layout.getValue());
            float[] expected = new float[LENGTH];
            FloatCursor.of(layout.getValue(), walk).read(0, expected, LENGTH);
            for (int i = 0; i < LENGTH; i++) {
                expected[i] = perChannel[(int) expected[i]];
            }
            for (int chunk : CHUNKS) {
                assertArrayEquals(
                        expected,
                        spread(ChannelWalk.of(walk, channels), perChannel, chunk),
                        layout.getKey());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("channels")
    void sumsByChannel(Channels channels) {
        int count = channels.count(SHAPE);
        double elements = (double) LENGTH / count;
        double[] expected = IntStream.range(0, count).mapToDouble(i -> i * elements).toArray();
        for (Map.Entry<String, INDArray> layout : layouts(channels).entrySet()) {
            Walk walk = Walk.inStorageOrderOf(layout.getValue());
            for (int chunk : CHUNKS) {
                assertArrayEquals(
                        expected,
                        sums(ChannelWalk.of(walk, channels), layout.getValue(), walk, chunk),
                        layout.getKey());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("channels")
    void knowsHowManyChannelsThereAre(Channels channels) {
        assertEquals(
                channels.count(SHAPE), ChannelWalk.of(Walk.rowMajor(SHAPE), channels).channels());
    }

    /** Arrays whose elements are the numbers of their channels. */
    private static Map<String, INDArray> layouts(Channels channels) {
        float[] elements = new float[LENGTH];
        int i = 0;
        int[] index = new int[4];
        for (index[0] = 0; index[0] < SHAPE[0]; index[0]++) {
            for (index[1] = 0; index[1] < SHAPE[1]; index[1]++) {
                for (index[2] = 0; index[2] < SHAPE[2]; index[2]++) {
                    for (index[3] = 0; index[3] < SHAPE[3]; index[3]++) {
                        int channel = 0;
                        for (int axis : channels.axes()) {
                            channel = (int) (channel * SHAPE[axis]) + index[axis];
                        }
                        elements[i++] = channel;
                    }
                }
            }
        }
        return Layouts.of(elements, SHAPE);
    }

    private static float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = 1000 - i;
        }
        return numbers;
    }

    private static float[] spread(ChannelWalk channels, float[] perChannel, int chunk) {
        float[] all = new float[LENGTH];
        float[] buffer = new float[chunk];
        for (int from = 0; from < LENGTH; from += chunk) {
            int count = Math.min(chunk, LENGTH - from);
            channels.spread(from, perChannel, buffer, count);
            System.arraycopy(buffer, 0, all, from, count);
        }
        return all;
    }

    private static double[] sums(ChannelWalk channels, INDArray array, Walk walk, int chunk) {
        double[] sums = new double[channels.channels()];
        float[] buffer = new float[chunk];
        FloatCursor cursor = FloatCursor.of(array, walk);
        for (int from = 0; from < LENGTH; from += chunk) {
            int count = Math.min(chunk, LENGTH - from);
            cursor.read(from, buffer, count);
            channels.addTo(sums, from, buffer, count);
        }
        return sums;
    }
}
