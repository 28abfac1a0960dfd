// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import org.jspecify.annotations.Nullable;

/**
 * Tells the channel of each position of a {@link Walk}, run by run: spreads one number per channel
 * over the elements of a chunk, or sums the elements of a chunk by channel.
 */
public final class ChannelWalk {

    /*
     * Along the walk the channel is constant for runs of runLength elements, and the channels of
     * the runs repeat after period runs. Mostly the runs of one period have the channels 0, 1, 2,
     * ...; only where several channel axes are walked in another order than they are numbered,
     * a table holds the channel of each run.
     */
    private final int channels;
    private final long runLength;
    private final int period;
    private final int @Nullable [] channelOfRun;

    private ChannelWalk(int channels, long runLength, int period, int @Nullable [] channelOfRun) {
        this.channels = channels;
        this.runLength = runLength;
        this.period = period;
        this.channelOfRun = channelOfRun;
    }

    /**
     * Returns the channels along a walk.
     *
     * @param walk the order of the elements
     * @param channels the axes that number the channels
     * @return the channels of the walk's positions
     * @throws IllegalArgumentException if the walk's arrays do not have one of the axes
     */
    public static ChannelWalk of(Walk walk, Channels channels) {
        int count = channels.count(walk.shape());
        long[] sizes = walk.sizes();
        long[] strides = walk.along(channels.strides(walk.shape()));
        int inner = sizes.length;
        long runLength = 1;
        while (inner > 0 && strides[inner - 1] == 0) {
            runLength *= sizes[--inner];
        }
        int outer = 0;
        while (outer < inner && strides[outer] == 0) {
            outer++;
        }
        int[] channelOfRun = channelOfRun(sizes, strides, outer, inner);
        int period = channelOfRun.length;
        return new ChannelWalk(
                count, runLength, period, isCounting(channelOfRun) ? null : channelOfRun);
    }

    private static int[] channelOfRun(long[] sizes, long[] strides, int outer, int inner) {
        int[] channelOfRun = {0};
        for (int axis = outer; axis < inner; axis++) {
            int size = Math.toIntExact(sizes[axis]);
            int[] longer = new int[Math.multiplyExact(channelOfRun.length, size)];
            for (int run = 0; run < longer.length; run++) {
                longer[run] = channelOfRun[run / size] + (int) (run % size * strides[axis]);
            }
            channelOfRun = longer;
        }
        return channelOfRun;
    }

    private static boolean isCounting(int[] channelOfRun) {
        for (int run = 0; run < channelOfRun.length; run++) {
            if (channelOfRun[run] != run) {
                return false;
            }
        }
        return true;
    }

    /** {@return how many channels there are} */
    public int channels() {
        return channels;
    }

    /**
     * Gives each element of a chunk its channel's number.
     *
     * @param from the position of the chunk's first element
     * @param perChannel one number for each channel
     * @param into takes one number for each element, from index 0 on
     * @param count how many elements the chunk has
     */
    public void spread(long from, float[] perChannel, float[] into, int count) {
        if (isCycle()) {
            for (int i = 0; i < count; ) {
                int run = runAt(from + i);
                int length = Math.min(period - run, count - i);
                System.arraycopy(perChannel, run, into, i, length);
                i += length;
            }
            return;
        }
        int run = runAt(from);
        int end = firstEnd(from, count);
        for (int i = 0; i < count; ) {
            float number = perChannel[channel(run)];
            while (i < end) {
                into[i++] = number;
            }
            run = next(run);
            end = (int) Math.min(count, end + runLength);
        }
    }

    /**
     * Adds the elements of a chunk to the sums of their channels.
     *
     * @param from the position of the chunk's first element
     * @param chunk the elements, from index 0 on
     * @param count how many elements the chunk has
     * @param sums one sum for each channel; changed
     */
    public void addTo(double[] sums, long from, float[] chunk, int count) {
        if (isCycle()) {
            for (int i = 0; i < count; ) {
                int run = runAt(from + i);
                int length = Math.min(period - run, count - i);
                for (int j = 0; j < length; j++) {
                    sums[run + j] += chunk[i + j];
                }
                i += length;
            }
            return;
        }
        int run = runAt(from);
        int end = firstEnd(from, count);
        for (int i = 0; i < count; ) {
            sums[channel(run)] += sum(chunk, i, end);
            i = end;
            run = next(run);
            end = (int) Math.min(count, end + runLength);
        }
    }

    /** Whether the elements have the channels 0, 1, 2, ... again and again. */
    private boolean isCycle() {
        return runLength == 1 && channelOfRun == null;
    }

    /** Four sums at once, because the additions of one must wait for each other. */
    private static double sum(float[] chunk, int from, int to) {
        double first = 0;
        double second = 0;
        double third = 0;
        double fourth = 0;
        int i = from;
        for (; i + 4 <= to; i += 4) {
            first += chunk[i];
            second += chunk[i + 1];
            third += chunk[i + 2];
            fourth += chunk[i + 3];
        }
        for (; i < to; i++) {
            first += chunk[i];
        }
        return (first + second) + (third + fourth);
    }

    private int runAt(long position) {
        return (int) (position / runLength % period);
    }

    private int firstEnd(long from, int count) {
        return (int) Math.min(count, runLength - from % runLength);
    }

    private int channel(int run) {
        return channelOfRun == null ? run : channelOfRun[run];
    }

    private int next(int run) {
        return run + 1 == period ? 0 : run + 1;
    }
}
