// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import org.dl4jquant.nd.ChannelWalk;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.FloatCursor;
import org.dl4jquant.nd.Walk;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One pass over float32 arrays in host memory, chunk after chunk, on the calling thread. */
final class HostKernels implements Kernels {

    /** The only instance; it has no state. */
    static final HostKernels INSTANCE = new HostKernels();

    private HostKernels() {}

    /** A computation on a chunk that was read into the scratch and will be written back. */
    private interface ChunkStep {
        void apply(Scratch scratch, int count);
    }

    @Override
    public void round(Grid grid, INDArray in, INDArray scale, INDArray out) {
        int lowest = grid.lowest();
        int highest = grid.highest();
        float[] scales = Scratch.ofThread().perChannel(scale);
        map(
                in,
                out,
                scales,
                grid.channels(),
                (s, count) -> ChunkMath.round(s.values, s.spread, count, lowest, highest));
    }

    @Override
    public void quantize(Grid grid, INDArray in, INDArray scale, INDArray out) {
        int lowest = grid.lowest();
        int highest = grid.highest();
        float[] scales = Scratch.ofThread().perChannel(scale);
        map(
                in,
                out,
                scales,
                grid.channels(),
                (s, count) -> ChunkMath.quantize(s.values, s.spread, count, lowest, highest));
    }

    @Override
    public void requantize(RequantizeSteps steps, INDArray accumulator, INDArray out) {
        map(
                accumulator,
                out,
                steps.factors(),
                steps.channels(),
                (s, count) -> requantize(steps, s.values, s.spread, count));
    }

    @Override
    public void roundToHalf(INDArray in, INDArray out) {
        float[] unused = {1f};
        map(in, out, unused, Channels.NONE, (s, count) -> HalfMath.round(s.values, count));
    }

    private static void requantize(
            RequantizeSteps steps, float[] numbers, float[] factors, int count) {
        switch (steps.source()) {
            case ACCUMULATORS -> ChunkMath.multiplyRounded(numbers, factors, count);
            case VALUES -> ChunkMath.divide(numbers, factors, count);
        }
        RequantizeSteps.Bounds codes = steps.codes();
        if (codes == null) {
            return;
        }
        ChunkMath.clampedRint(numbers, count, codes.lowest(), codes.highest());
        float[] table = steps.table();
        if (table != null) {
            ChunkMath.lookUp(numbers, count, codes.lowest(), table);
        } else if (steps.scale() != 1) {
            ChunkMath.scale(numbers, count, steps.scale());
        }
    }

    private static void map(
            INDArray in, INDArray out, float[] perChannel, Channels channels, ChunkStep step) {
        Scratch scratch = Scratch.ofThread();
        Walk walk = Walk.inStorageOrderOf(out);
        FloatCursor source = FloatCursor.of(in, walk);
        FloatCursor target = in == out ? source : FloatCursor.of(out, walk);
        Spread spread = new Spread(ChannelWalk.of(walk, channels), perChannel, scratch);
        for (long from = 0; from < walk.length(); from += Scratch.CHUNK) {
            int count = (int) Math.min(Scratch.CHUNK, walk.length() - from);
            source.read(from, scratch.values, count);
            spread.fill(from, count);
            step.apply(scratch, count);
            target.write(from, scratch.values, count);
        }
    }

    @Override
    public void mask(
            Grid grid,
            GradientRule rule,
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn) {
        backward(grid, rule, in, scale, upstream, gradientIn, false);
    }

    @Override
    public double[] gradients(
            Grid grid,
            GradientRule rule,
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn) {
        return backward(grid, rule, in, scale, upstream, gradientIn, true);
    }

    private static double[] backward(
            Grid grid,
            GradientRule rule,
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn,
            boolean sum) {
        Scratch s = Scratch.ofThread();
        Walk walk = Walk.inStorageOrderOf(gradientIn);
        FloatCursor values = FloatCursor.of(in, walk);
        FloatCursor gradients = FloatCursor.of(upstream, walk);
        FloatCursor target = upstream == gradientIn ? gradients : FloatCursor.of(gradientIn, walk);
        ChannelWalk channels = ChannelWalk.of(walk, grid.channels());
        Spread spread = new Spread(channels, s.perChannel(scale), s);
        double[] sums = new double[sum ? channels.channels() : 0];
        int low = grid.lowest();
        int high = grid.highest();
        for (long from = 0; from < walk.length(); from += Scratch.CHUNK) {
            int count = (int) Math.min(Scratch.CHUNK, walk.length() - from);
            values.read(from, s.values, count);
            gradients.read(from, s.upstream, count);
            spread.fill(from, count);
            ChunkMath.clamp(s.values, s.spread, s.masks, count, low, high);
            if (rule.elementwise() != 0) {
                float delta = (float) rule.elementwise();
                ChunkMath.scaleElements(s.masks, s.values, s.upstream, count, delta);
            }
            if (sum) {
                if (!rule.byRounding()) {
                    ChunkMath.clampedRint(s.values, count, low, high);
                }
                ChunkMath.scaleGradients(s.values, s.masks, s.upstream, count);
                channels.addTo(sums, from, s.values, count);
            }
            ChunkMath.multiply(s.upstream, s.masks, count);
            target.write(from, s.upstream, count);
        }
        return sums;
    }

    @Override
    public double[] clippedSums(Grid grid, INDArray in, INDArray scale, INDArray upstream) {
        Scratch s = Scratch.ofThread();
        Walk walk = Walk.inStorageOrderOf(in);
        FloatCursor values = FloatCursor.of(in, walk);
        FloatCursor gradients = FloatCursor.of(upstream, walk);
        ChannelWalk channels = ChannelWalk.of(walk, grid.channels());
        Spread spread = new Spread(channels, s.perChannel(scale), s);
        double[] sums = new double[channels.channels()];
        for (long from = 0; from < walk.length(); from += Scratch.CHUNK) {
            int count = (int) Math.min(Scratch.CHUNK, walk.length() - from);
            values.read(from, s.values, count);
            gradients.read(from, s.upstream, count);
            spread.fill(from, count);
            ChunkMath.clamp(s.values, s.spread, s.masks, count, grid.lowest(), grid.highest());
            ChunkMath.keepMasked(s.upstream, s.masks, count);
            channels.addTo(sums, from, s.upstream, count);
        }
        return sums;
    }

    /** Fills the scratch with one number for each element, only once if they are all equal. */
    private static final class Spread {

        private final ChannelWalk channels;
        private final float[] perChannel;
        private final Scratch scratch;

        Spread(ChannelWalk channels, float[] perChannel, Scratch scratch) {
            this.channels = channels;
            this.perChannel = perChannel;
            this.scratch = scratch;
        }

        void fill(long from, int count) {
            if (from == 0 || channels.channels() > 1) {
                channels.spread(from, perChannel, scratch.spread, count);
            }
        }
    }
}
